import type { Span } from '#src/exchange/span.ts'

/** The span of one request, told apart by its number. */
export function span(number: number): Span {
  return {
    traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
    spanId: (number + 1).toString(16).padStart(16, '0'),
    parentId: '',
    traceState: '',
    name: `GET /${number}`,
    startMs: 1_800_000_000_000.25,
    durationMs: 1.25,
    failed: false,
    attributes: { 'http.request.method': 'GET', 'headgate.tries': 1 },
  }
}

/** So many of them. */
export function spans(count: number, first = 0): Span[] {
  return Array.from({ length: count }, (_, i) => span(first + i))
}
