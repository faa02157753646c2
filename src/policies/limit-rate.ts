import { integer } from '#src/annotations/types.ts'
import { policy } from './policy-definition.ts'
import { CONTINUE } from './policy.ts'

/** How fast answers are sent to clients. */
export interface LimitRateConfig {
  readonly bytesPerSecond: number
  /** Bytes of an answer that are sent at full speed before. */
  readonly bytesFirst: number
}

const kibibytesMax = 1_000_000_000
const switchingProtocols = 101

/** A bound on the bandwidth of each answer. Tunnels have none, as in nginx. */
export const limitRate = policy({
  annotations: {
    'limit-rate': {
      type: integer(0, kibibytesMax),
      default: 0,
      doc: 'KiB per second at which an answer is sent to its client at most. 0 sets no limit. It holds whether or not answers are buffered.',
      example: '512',
      risk: 'low',
      scope: 'path',
      compatibility: 'same',
      option: true,
    },
    'limit-rate-after': {
      type: integer(0, kibibytesMax),
      default: 0,
      doc: 'KiB of an answer that are sent at full speed before limit-rate holds.',
      example: '1024',
      risk: 'low',
      scope: 'path',
      compatibility: 'same',
      option: true,
    },
  },
  options: {},

  configure(values): LimitRateConfig | undefined {
    const bytesPerSecond = values['limit-rate'] * 1024
    if (bytesPerSecond === 0) return undefined
    return { bytesPerSecond, bytesFirst: values['limit-rate-after'] * 1024 }
  },

  start({ bytesPerSecond, bytesFirst }) {
    return {
      responseHead(exchange) {
        if (exchange.response?.status !== switchingProtocols) {
          exchange.pace(bytesPerSecond, bytesFirst)
        }
        return CONTINUE
      },
    }
  },
})
