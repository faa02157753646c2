import { clientGone, durationBoundsMs, ruleCells } from '#src/shared/rule-memory.ts'
import type { RuleMemory } from '#src/shared/rule-memory.ts'
import { familyHead, histogramSamples, sample } from './exposition.ts'

/** Rules that show as one in metrics, as their labels are the same. */
export interface RouteSeries {
  /** As `labelText` makes them. */
  readonly labels: string
  readonly slots: readonly number[]
}

const boundTexts = durationBoundsMs.map((bound) => String(bound / 1000))
const bucketCount = durationBoundsMs.length + 1
const statusClasses = 6

/**
 * The families of routes, in pieces of one route and family each: whoever sends them can pause after
 * any. Routes that had no request have no series.
 */
export function* routeMetrics(
  memory: RuleMemory,
  series: readonly RouteSeries[],
): Generator<string, void> {
  const row = memory.emptyRow()
  for (const family of families) {
    yield family.head
    for (const { labels, slots } of series) {
      yield sumRow(memory, slots, row) ? family.samples(labels, row) : ''
    }
  }
}

interface RouteFamily {
  readonly head: string
  readonly samples: (labels: string, row: Float64Array) => string
}

const families: readonly RouteFamily[] = [
  {
    head: familyHead('requests_total', 'counter', 'Requests by route and class of status.'),
    samples: statusSamples,
  },
  histogramFamily(
    'request_duration_seconds',
    'Time from the request head to the end of the response, by route.',
    ruleCells.duration,
    ruleCells.durationSum,
  ),
  histogramFamily(
    'upstream_response_duration_seconds',
    'Time from the start of the last try to its response head, by route.',
    ruleCells.upstream,
    ruleCells.upstreamSum,
  ),
  byteFamily(
    'request_bytes_total',
    'Bytes of request bodies received, by route.',
    ruleCells.requestBytes,
  ),
  byteFamily(
    'response_bytes_total',
    'Bytes of response bodies sent, by route.',
    ruleCells.responseBytes,
  ),
]

function statusSamples(labels: string, row: Float64Array): string {
  let text = ''
  for (let statusClass = 0; statusClass < statusClasses; statusClass++) {
    const count = row[ruleCells.status + statusClass] as number
    if (count === 0) continue
    const status = statusClass === clientGone ? 'client-gone' : `${statusClass}xx`
    text += sample('requests_total', `${labels},status="${status}"`, count)
  }
  return text
}

function histogramFamily(name: string, help: string, first: number, sum: number): RouteFamily {
  return {
    head: familyHead(name, 'histogram', help),
    samples: (labels, row) =>
      histogramSamples(name, {
        labels,
        bounds: boundTexts,
        counts: [...row.subarray(first, first + bucketCount)],
        sum: (row[sum] as number) / 1000,
      }),
  }
}

function byteFamily(name: string, help: string, cell: number): RouteFamily {
  return {
    head: familyHead(name, 'counter', help),
    samples: (labels, row) => sample(name, labels, row[cell] as number),
  }
}

/** Puts the sums of a series into `row`; false when there was no request. */
function sumRow(memory: RuleMemory, slots: readonly number[], row: Float64Array): boolean {
  row.fill(0)
  for (const slot of slots) memory.addInto(row, slot)
  for (let i = 0; i < statusClasses; i++) if (row[ruleCells.status + i] !== 0) return true
  return false
}
