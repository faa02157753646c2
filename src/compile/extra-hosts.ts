import type { Diagnostics } from '#src/annotations/diagnostics.ts'
import { covers } from '#src/annotations/names.ts'
import { inOrder, policyIndex } from '#src/policies/index.ts'
import type { PolicyUse } from '#src/policies/policy.ts'
import { hostKey, tupleKey } from '#src/table/keys.ts'
import type { Key } from '#src/table/keys.ts'
import type { Certificate, Host, Rule } from '#src/table/table.ts'
import { originOf, reportOn } from './findings.ts'
import { policyValues } from './ingress.ts'
import type { ParsedIngress } from './ingress.ts'
import { ingressGroup } from './listeners.ts'
import type { Options } from './options.ts'

/** A host that an annotation asks for. */
export interface ExtraHost {
  readonly pattern: string
  /** The host that it is another name for, or that its requests are redirected to. */
  readonly like: Host
  readonly parsed: ParsedIngress
  readonly redirect: boolean
}

/** The names that `server-alias` and `from-to-www-redirect` add, but for those that rules name. Canaries add none. */
export function extraHosts(
  parsed: readonly ParsedIngress[],
  hosts: ReadonlyMap<Key, Host>,
  diagnostics: Diagnostics,
): readonly ExtraHost[] {
  const taken = new Map<string, ExtraHost>()
  const owners = parsed.filter(({ canary }) => canary === undefined)
  for (const wanted of [...aliases(owners, hosts), ...wwwRedirects(owners, hosts)]) {
    const { pattern, like, redirect, parsed: owner } = wanted
    const owned = hosts.has(hostKey(ingressGroup, pattern))
    const other = taken.get(pattern)
    if (!owned && other === undefined) taken.set(pattern, wanted)
    if (!owned && (other === undefined || other.like === like)) continue
    const key = redirect ? 'from-to-www-redirect' : 'server-alias'
    const field = owner.texts.get(key)?.key ?? key
    const why = owned ? 'it has rules of its own' : 'another host has it'
    const report = reportOn(owner.ingress, diagnostics)
    report('annotation-differs', field, `${pattern} is left alone: ${why}`)
  }
  return [...taken.values()]
}

function aliases(
  parsed: readonly ParsedIngress[],
  hosts: ReadonlyMap<Key, Host>,
): readonly ExtraHost[] {
  return parsed
    .filter((owner) => owner.routing['server-alias'].length > 0)
    .flatMap((owner) =>
      hostsOf(owner, hosts).flatMap((like) =>
        owner.routing['server-alias'].map((pattern) => ({
          pattern,
          like,
          parsed: owner,
          redirect: false,
        })),
      ),
    )
}

function wwwRedirects(
  parsed: readonly ParsedIngress[],
  hosts: ReadonlyMap<Key, Host>,
): readonly ExtraHost[] {
  return parsed
    .filter((owner) => policyValues(owner, 'host-redirect')['from-to-www-redirect'])
    .flatMap((owner) =>
      hostsOf(owner, hosts)
        .filter(({ pattern }) => pattern !== '' && !pattern.startsWith('*'))
        .map((like) => ({
          pattern: like.pattern.startsWith('www.') ? like.pattern.slice(4) : `www.${like.pattern}`,
          like,
          parsed: owner,
          redirect: true,
        })),
    )
}

function hostsOf(owner: ParsedIngress, hosts: ReadonlyMap<Key, Host>): readonly Host[] {
  return owner.hosts.flatMap((pattern) => hosts.get(hostKey(ingressGroup, pattern)) ?? [])
}

/** The host as the table has it. `certificate`: of the host that it is like. */
export function makeHost(
  { pattern, like, parsed, redirect }: ExtraHost,
  certificate: Certificate | undefined,
  { options, everywhere }: { readonly options: Options; readonly everywhere: readonly PolicyUse[] },
): Host {
  const key = hostKey(ingressGroup, pattern)
  if (!redirect) return { ...like, key, pattern }
  const covered = certificate?.names.some((name) => covers(name, pattern)) === true
  const { passthrough: _passthrough, ...own } = like
  const config = { host: like.pattern, status: redirectStatus(options) }
  const policies = inOrder([...everywhere, { name: 'host-redirect', config }])
  return {
    ...own,
    key,
    pattern,
    rules: [redirectRule(pattern, policies, parsed)],
    certificate: covered ? certificate.key : undefined,
    clientCertificates: undefined,
  }
}

function redirectStatus(options: Options): number {
  const own = options.policies[policyIndex('ssl-redirect')]?.options
  return (own as { readonly 'http-redirect-code': number })['http-redirect-code']
}

function redirectRule(
  pattern: string,
  policies: readonly PolicyUse[],
  parsed: ParsedIngress,
): Rule {
  return {
    key: tupleKey('host-redirect', pattern),
    origin: originOf(parsed.ingress),
    path: { type: 'prefix', value: '' },
    pathText: '/',
    predicates: [],
    settings: parsed.settings,
    policies,
    backends: [],
  }
}
