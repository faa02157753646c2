import { cidr, fieldName } from '#src/annotations/names.ts'
import { duration } from '#src/annotations/quantities.ts'
import { optionTable } from '#src/annotations/schema.ts'
import { bool, listOf } from '#src/annotations/types.ts'
import { defaultGlobalOptions } from '#src/table/defaults.ts'

const defaults = defaultGlobalOptions

/** Keys of the ConfigMap about who the client is where other proxies stand in front. */
export const identityOptions = optionTable({
  'use-forwarded-headers': {
    type: bool,
    default: defaults.useForwardedHeaders,
    doc: 'Believes X-Forwarded-* of the peers in proxy-real-ip-cidr. Where they name https and no port, the port is 443, not the one of http that ingress-nginx names.',
    example: 'true',
    compatibility: 'same',
  },
  'enable-real-ip': {
    type: bool,
    default: defaults.realIp,
    doc: 'Takes the address of the client, and nothing else, from the forwarded-for-header of the peers in proxy-real-ip-cidr.',
    example: 'true',
    compatibility: 'same',
  },
  'compute-full-forwarded-for': {
    type: bool,
    default: defaults.computeFullForwardedFor,
    doc: 'Appends to X-Forwarded-For in place of replacing it.',
    example: 'true',
    compatibility: 'same',
  },
  'forwarded-for-header': {
    type: fieldName,
    default: defaults.forwardedForHeader,
    doc: 'The field in which a trusted peer names the client.',
    example: 'CF-Connecting-IP',
    compatibility: 'same',
  },
  'proxy-real-ip-cidr': {
    type: listOf(cidr),
    default: defaults.trustedPeers,
    doc: 'The peers whose forwarding headers and PROXY headers are believed.',
    example: '10.0.0.0/8,fd00::/8',
    compatibility: 'same',
  },
  'use-proxy-protocol': {
    type: bool,
    default: false,
    doc: 'Expects a PROXY protocol header (v1 or v2) on every connection to the http and https ports.',
    example: 'true',
    compatibility: 'same',
  },
  'proxy-protocol-header-timeout': {
    type: duration,
    default: defaults.proxyHeaderTimeoutMs,
    doc: 'How long a PROXY protocol header may take to arrive.',
    example: '10s',
    compatibility: 'same',
  },
})
