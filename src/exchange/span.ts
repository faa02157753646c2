/** One request as a trace sees it. Plain data, for another thread. */
export interface Span {
  /** 32 hexadecimal digits. */
  readonly traceId: string
  /** 16 hexadecimal digits. */
  readonly spanId: string
  /** The span of the caller; '': the trace begins here. */
  readonly parentId: string
  /** `tracestate` as it came with the request, '' without one. */
  readonly traceState: string
  readonly name: string
  /** Milliseconds since 1970. */
  readonly startMs: number
  readonly durationMs: number
  /** The request failed on our side, as OpenTelemetry counts it. */
  readonly failed: boolean
  readonly attributes: Readonly<Record<string, string | number>>
}

/** Takes finished spans; never blocks. */
export interface SpanSink {
  record(span: Span): void
}
