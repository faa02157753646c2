import { labelText } from '#src/observe/exposition.ts'
import type { RouteSeries } from '#src/observe/route-metrics.ts'
import { overflowSlot } from '#src/shared/columns.ts'
import type { RouteTable } from '#src/table/table.ts'
import type { TableFeed } from './table-feed.ts'

/** Rules between two pauses. */
const rulesPerSlice = 256

/** The series of all routes, made anew only when a host has changed. */
export class RouteSeriesCache {
  readonly #feed: TableFeed
  #series: readonly RouteSeries[] = []
  /** What the series were made for; the same object while no host changes. */
  #hosts: RouteTable['hosts'] | undefined

  constructor(feed: TableFeed) {
    this.#feed = feed
  }

  /**
   * Rules with the same labels are one series: two of one name would spoil the whole scrape. Yields
   * empty pieces on its way, so that others get their turn.
   */
  *get(): Generator<string, readonly RouteSeries[]> {
    const { hosts } = this.#feed.table
    if (this.#hosts === hosts) return this.#series
    const slotsByLabels = new Map<string, number[]>()
    let count = 0
    for (const { pattern, rules } of hosts.values()) {
      for (const { key, origin, pathText } of rules) {
        const slot = this.#feed.ruleSlots.slotOf(key)
        if (slot === undefined) continue
        const { namespace, name } = origin
        const labels = labelText({ namespace, ingress: name, host: pattern, path: pathText })
        const slots = slotsByLabels.get(labels)
        if (slots === undefined) slotsByLabels.set(labels, [slot])
        else slots.push(slot)
        if (++count % rulesPerSlice === 0) yield ''
      }
    }
    const overflow = labelText({ namespace: '', ingress: '(overflow)', host: '', path: '' })
    slotsByLabels.set(overflow, [overflowSlot])
    this.#series = [...slotsByLabels].map(([labels, slots]) => ({ labels, slots }))
    this.#hosts = hosts
    return this.#series
  }
}
