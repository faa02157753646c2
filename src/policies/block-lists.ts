import { AddressSet, addressList } from './address-set.ts'
import { mapTester, mapValues } from './map-values.ts'
import { policy } from './policy-definition.ts'
import { CONTINUE } from './policy.ts'

/** What is refused everywhere. */
export interface BlockListsConfig {
  readonly cidrs: readonly string[]
  readonly userAgents: readonly string[]
  readonly referers: readonly string[]
}

/** Refuses clients that the ConfigMap names (403), on every route and where there is none. */
export const blockLists = policy({
  everywhere: true,
  annotations: {},
  options: {
    'block-cidrs': {
      type: addressList,
      default: [],
      doc: 'Clients with these addresses get 403, whatever they ask for.',
      example: '192.0.2.0/24',
      compatibility: 'same',
    },
    'block-user-agents': {
      type: mapValues,
      default: [],
      doc: 'Requests with one of these as User-Agent get 403, whatever they ask for.',
      example: '~*badbot,Crawler/1.0',
      compatibility: 'same',
    },
    'block-referers': {
      type: mapValues,
      default: [],
      doc: 'Requests with one of these as Referer get 403, whatever they ask for.',
      example: '~*spam\\.example',
      compatibility: 'same',
    },
  },

  configure(_values, { options }): BlockListsConfig | undefined {
    const config = {
      cidrs: options['block-cidrs'],
      userAgents: options['block-user-agents'],
      referers: options['block-referers'],
    }
    const { cidrs, userAgents, referers } = config
    return cidrs.length + userAgents.length + referers.length === 0 ? undefined : config
  },

  start({ cidrs, userAgents, referers }) {
    const addresses = new AddressSet(cidrs)
    const isBadAgent = mapTester(userAgents)
    const isBadReferer = mapTester(referers)
    return {
      requestHead(exchange) {
        const { fields } = exchange.request
        const blocked =
          addresses.has(exchange.clientAddress) ||
          isBadAgent(fields.get('user-agent')) ||
          isBadReferer(fields.get('referer'))
        return blocked ? exchange.reply({ status: 403 }) : CONTINUE
      },
    }
  },
})
