import { gcraRate } from '#algorithms/limit/gcra.ts'
import type { GcraRate } from '#algorithms/limit/gcra.ts'
import type { AnnotationTable, OptionTable } from '#src/annotations/schema.ts'
import { integer } from '#src/annotations/types.ts'
import { AddressSet, addressList } from './address-set.ts'
import { policy } from './policy-definition.ts'
import { CONTINUE } from './policy.ts'

/** Limits per client address, over all workers. */
export interface LimitsConfig {
  /** Whose limits they are: the paths of one Ingress share them. */
  readonly name: string
  /** Requests under way at once; 0: no limit. */
  readonly connections: number
  readonly perSecond: number
  readonly perMinute: number
  /** Multiplies a rate to the number of requests that may come at once beyond the first. */
  readonly burstMultiplier: number
  /** Addresses without limits. */
  readonly exempt: readonly string[]
  readonly rateStatus: number
  readonly connectionStatus: number
}

interface Values {
  'limit-connections': number
  'limit-rps': number
  'limit-rpm': number
  'limit-burst-multiplier': number
  'limit-allowlist': readonly string[]
}

interface Options {
  'limit-req-status-code': number
  'limit-conn-status-code': number
}

const countMax = 1_000_000
const plain = { risk: 'low', scope: 'path', compatibility: 'same' } as const

const annotations: AnnotationTable<Values> = {
  'limit-connections': {
    ...plain,
    type: integer(0, countMax),
    default: 0,
    doc: 'Requests that one client may have under way at once. 0 sets no limit.',
    example: '10',
  },
  'limit-rps': {
    ...plain,
    type: integer(0, countMax),
    default: 0,
    doc: 'Requests a second of one client; more are refused, beyond a burst. 0 sets no limit.',
    example: '20',
  },
  'limit-rpm': {
    ...plain,
    type: integer(0, countMax),
    default: 0,
    doc: 'Requests a minute of one client; more are refused, beyond a burst. 0 sets no limit.',
    example: '300',
  },
  'limit-burst-multiplier': {
    ...plain,
    type: integer(1, 10_000),
    default: 5,
    doc: 'Multiplies limit-rps and limit-rpm to the burst that may come at once.',
    example: '3',
  },
  'limit-allowlist': {
    ...plain,
    type: addressList,
    default: [],
    doc: 'Clients without limits. Also written limit-whitelist.',
    example: '10.0.0.0/8,192.0.2.1',
  },
}

const options: OptionTable<Options> = {
  'limit-req-status-code': {
    type: integer(400, 599),
    default: 503,
    doc: 'Status of an answer that limit-rps or limit-rpm refuses.',
    example: '429',
    compatibility: 'same',
  },
  'limit-conn-status-code': {
    type: integer(400, 599),
    default: 503,
    doc: 'Status of an answer that limit-connections refuses.',
    example: '429',
    compatibility: 'same',
  },
}

/** Rate and connection limits, counted before any authentication as in ingress-nginx. */
export const limits = policy({
  annotations,
  options,

  configure(values, { options: given, ingress }): LimitsConfig | undefined {
    const connections = values['limit-connections']
    const perSecond = values['limit-rps']
    const perMinute = values['limit-rpm']
    if (connections + perSecond + perMinute === 0) return undefined
    return {
      name: ingress,
      connections,
      perSecond,
      perMinute,
      burstMultiplier: values['limit-burst-multiplier'],
      exempt: values['limit-allowlist'],
      rateStatus: given['limit-req-status-code'],
      connectionStatus: given['limit-conn-status-code'],
    }
  },

  start({ name, connections, perSecond, perMinute, ...config }) {
    const exempt = config.exempt.length === 0 ? undefined : new AddressSet(config.exempt)
    const second = rateOf(perSecond, 1, config.burstMultiplier)
    const minute = rateOf(perMinute, 60, config.burstMultiplier)
    const connectionLimit = `connections ${name}`
    const secondLimit = `second ${name}`
    const minuteLimit = `minute ${name}`
    return {
      requestHead(exchange) {
        if (exempt?.has(exchange.clientAddress) === true) return CONTINUE
        if (second !== undefined && !exchange.admit(secondLimit, second)) {
          return exchange.reply({ status: config.rateStatus })
        }
        if (minute !== undefined && !exchange.admit(minuteLimit, minute)) {
          return exchange.reply({ status: config.rateStatus })
        }
        // nginx looks at these last.
        if (connections > 0 && !exchange.acquire(connectionLimit, connections)) {
          return exchange.reply({ status: config.connectionStatus })
        }
        return CONTINUE
      },
    }
  },
})

/** nginx counts the burst beside the request that is due anyway. */
function rateOf(count: number, seconds: number, multiplier: number): GcraRate | undefined {
  return count === 0 ? undefined : gcraRate(count / seconds, count * multiplier + 1)
}
