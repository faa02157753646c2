import type { Registry } from 'prom-client'
import { json, jsonText, plain } from '#src/observe/admin-server.ts'
import type { AdminAnswer, AdminRoute } from '#src/observe/admin-server.ts'
import { dashboardRoutes } from '#src/observe/dashboard.ts'
import { processClock } from '#src/shared/clock.ts'
import { SharedMetrics, processState } from './metrics.ts'
import { routesJson, statusOf } from './status.ts'
import type { Supervisor } from './supervisor.ts'

/** How long a scrape waits for the control plane, which may be busy compiling. */
const controlPlaneTimeoutMs = 500

export interface AdminApiOptions {
  readonly supervisor: Supervisor
  /** Of the product. */
  readonly version: string
  readonly startedAt: Date
  readonly logLinesDropped: () => number
}

/** Everything that the admin port answers. */
export function adminRoutes(options: AdminApiOptions): Map<string, AdminRoute> {
  const { supervisor, version, startedAt } = options
  const now = processClock()
  const metrics = new MetricsPage(options, now)
  return new Map<string, AdminRoute>([
    ['/healthz', { access: 'open', answer: () => plain(200, 'ok') }],
    ['/readyz', { access: 'open', answer: () => readiness(supervisor) }],
    ['/metrics', { access: 'open', answer: async () => await metrics.answer() }],
    [
      '/api/status',
      { access: 'private', answer: () => json(statusOf(supervisor, version, startedAt)) },
    ],
    [
      '/api/routes',
      {
        access: 'private',
        answer: () => ({ ...jsonText(''), body: routesJson(supervisor, now()) }),
      },
    ],
    [
      '/api/diagnostics',
      { access: 'private', answer: () => jsonText(supervisor.controlPlane.diagnosticsJson) },
    ],
    [
      '/api/explain',
      {
        access: 'private',
        answer: async (query) => {
          const { explainAnswer } = await import('./explain-live.ts')
          return explainAnswer(supervisor, query, now())
        },
      },
    ],
    ...dashboardRoutes(),
  ])
}

function readiness(supervisor: Supervisor): AdminAnswer {
  if (supervisor.ready) return plain(200, 'ready')
  return plain(503, supervisor.draining ? 'draining' : 'not ready: no table is in force yet')
}

/** /metrics: the process's, the control plane's, and those in shared memory. */
class MetricsPage {
  readonly #options: AdminApiOptions
  readonly #supervisor: Supervisor
  readonly #now: () => number
  #process: Promise<Registry> | undefined
  readonly #shared: SharedMetrics
  /** What the control plane said last; counters of a busy one are late, not gone. */
  #controlPlaneText = ''

  constructor(options: AdminApiOptions, now: () => number) {
    const { supervisor } = options
    this.#options = options
    this.#supervisor = supervisor
    this.#now = now
    this.#shared = new SharedMetrics(supervisor)
  }

  async answer(): Promise<AdminAnswer> {
    const { controlPlane } = this.#supervisor
    const text = await controlPlane.query('metrics', controlPlaneTimeoutMs)
    this.#controlPlaneText = text ?? this.#controlPlaneText
    this.#process ??= this.#loadProcessMetrics()
    const own = await (await this.#process).metrics()
    return {
      status: 200,
      contentType: 'text/plain; version=0.0.4; charset=utf-8',
      body: this.#pieces(own),
    }
  }

  /** With the first scrape: a start does not wait for its library. */
  async #loadProcessMetrics(): Promise<Registry> {
    const { createProcessMetrics } = await import('#src/observe/process-metrics.ts')
    const { supervisor, version, logLinesDropped } = this.#options
    return createProcessMetrics(() => processState(supervisor, version, logLinesDropped()))
  }

  *#pieces(own: string): Generator<string, void> {
    yield own
    yield this.#controlPlaneText
    yield* this.#shared.pieces(this.#now())
  }
}
