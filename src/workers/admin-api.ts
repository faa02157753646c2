import { json, jsonText, plain } from '#src/observe/admin-server.ts'
import type { AdminAnswer, AdminRoute } from '#src/observe/admin-server.ts'
import { dashboardRoutes } from '#src/observe/dashboard.ts'
import { createProcessMetrics } from '#src/observe/process-metrics.ts'
import { processClock } from '#src/shared/clock.ts'
import { explainAnswer } from './explain-live.ts'
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
      { access: 'private', answer: (query) => explainAnswer(supervisor, query, now()) },
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
  readonly #supervisor: Supervisor
  readonly #now: () => number
  readonly #process: ReturnType<typeof createProcessMetrics>
  readonly #shared: SharedMetrics
  /** What the control plane said last; counters of a busy one are late, not gone. */
  #controlPlaneText = ''

  constructor({ supervisor, version, logLinesDropped }: AdminApiOptions, now: () => number) {
    this.#supervisor = supervisor
    this.#now = now
    this.#shared = new SharedMetrics(supervisor)
    this.#process = createProcessMetrics(() => processState(supervisor, version, logLinesDropped()))
  }

  async answer(): Promise<AdminAnswer> {
    const { controlPlane } = this.#supervisor
    const text = await controlPlane.query('metrics', controlPlaneTimeoutMs)
    this.#controlPlaneText = text ?? this.#controlPlaneText
    const own = await this.#process.metrics()
    return {
      status: 200,
      contentType: 'text/plain; version=0.0.4; charset=utf-8',
      body: this.#pieces(own),
    }
  }

  *#pieces(own: string): Generator<string, void> {
    yield own
    yield this.#controlPlaneText
    yield* this.#shared.pieces(this.#now())
  }
}
