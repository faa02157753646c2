import type { Span, SpanSink } from '#src/exchange/span.ts'
import { workerCell } from '#src/shared/worker-memory.ts'
import type { WorkerMemory } from '#src/shared/worker-memory.ts'

/** Spans that a worker holds between two turns of its clock. */
export const bufferedSpansMax = 1024

const recorded = workerCell('trace_spans_total:recorded')
const dropped = workerCell('trace_spans_total:dropped')

/** A worker's finished spans until the next turn of its clock. What does not fit is dropped and counted. */
export class SpanBuffer implements SpanSink {
  readonly #memory: WorkerMemory
  readonly #writer: number
  readonly #send: (spans: readonly Span[]) => void
  #spans: Span[] = []

  constructor(memory: WorkerMemory, writer: number, send: (spans: readonly Span[]) => void) {
    this.#memory = memory
    this.#writer = writer
    this.#send = send
  }

  record(span: Span): void {
    const fits = this.#spans.length < bufferedSpansMax
    this.#memory.add(this.#writer, fits ? recorded : dropped, 1)
    if (fits) this.#spans.push(span)
  }

  flush(): void {
    if (this.#spans.length === 0) return
    this.#send(this.#spans)
    this.#spans = []
  }
}
