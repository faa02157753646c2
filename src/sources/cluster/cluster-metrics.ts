import { familyHead, labelText, sample } from '#src/observe/exposition.ts'
import { errorReasons, eventTypes } from './counters.ts'
import type { Counters, KindCounters } from './counters.ts'

/** What is known of one kind at the moment. */
export interface KindGauges {
  /** Seconds since the API server was last heard; undefined: not yet. */
  readonly ageSeconds: number | undefined
  readonly wanted?: number
  readonly leftOut?: number
  readonly bytes?: number
}

/** The metrics of a cluster as a source, in the text format. Labels are kinds and fixed words. */
export function clusterMetrics(
  counters: Counters,
  gauges: ReadonlyMap<string, KindGauges>,
): string {
  const all = [...counters.all]
  const simple = (name: string, help: string, of: (kind: KindCounters) => number): string =>
    familyHead(name, 'counter', help) +
    all.map(([kind, counted]) => sample(name, labelText({ kind }), of(counted))).join('')
  let text = simple('cluster_lists_total', 'Full views asked for, by kind.', ({ lists }) => lists)
  text += simple('cluster_watches_total', 'Watches resumed, by kind.', ({ watches }) => watches)
  text += simple('cluster_gets_total', 'Objects fetched by name, by kind.', ({ gets }) => gets)
  text += familyHead('cluster_events_total', 'counter', 'Events of watches, by kind and type.')
  for (const [kind, { events }] of all) {
    for (const type of eventTypes) {
      text += sample('cluster_events_total', labelText({ kind, type }), events[type])
    }
  }
  text += familyHead('cluster_errors_total', 'counter', 'Failed requests, by kind and reason.')
  for (const [kind, { errors }] of all) {
    for (const reason of errorReasons) {
      text += sample('cluster_errors_total', labelText({ kind, reason }), errors[reason])
    }
  }
  return text + gaugeText(gauges)
}

function gaugeText(gauges: ReadonlyMap<string, KindGauges>): string {
  const family = (
    name: string,
    help: string,
    of: (kind: KindGauges) => number | undefined,
  ): string => {
    let text = familyHead(name, 'gauge', help)
    for (const [kind, known] of gauges) {
      const value = of(known)
      if (value !== undefined) text += sample(name, labelText({ kind }), value)
    }
    return text
  }
  return (
    family(
      'cluster_last_contact_age_seconds',
      'Time since the API server last said something, by kind.',
      ({ ageSeconds }) => ageSeconds,
    ) +
    family(
      'cluster_wanted_objects',
      'Objects that are read because others refer to them, by kind.',
      ({ wanted }) => wanted,
    ) +
    family(
      'cluster_wanted_bytes',
      'What the objects hold that are read because others refer to them, by kind.',
      ({ bytes }) => bytes,
    ) +
    family(
      'cluster_left_out_objects',
      'Objects that are referred to and not read because there are too many or they hold too much, by kind.',
      ({ leftOut }) => leftOut,
    )
  )
}
