import type { Fields } from '#src/exchange/fields.ts'
import type { ClientStream, ServerStream } from '#src/exchange/streams.ts'
import { requestFilters, responseFilters } from './body-filters.ts'
import { RequestSink, StreamSink } from './body-sinks.ts'
import type { PolicyRun } from './policy-run.ts'

// The bodies of an exchange on their way through its policies. False: the receiver is backed up.

// oxlint-disable-next-line max-params -- the chunk as it comes: no object for it
export function passRequestBody(
  run: PolicyRun,
  buffer: Buffer,
  start: number,
  end: number,
  stream: ClientStream | undefined,
): boolean {
  const { body } = run.exchange
  // Policies that have not run yet may still ask for a filter; see `filterEarlyBody`.
  if (run.headSuspended) return body.take(buffer, start, end, stream)
  run.requestFilters ??= requestFilters(run.chain, run)
  if (run.requestFilters.empty) return body.take(buffer, start, end, stream)
  return run.requestFilters.push(buffer, start, end, new RequestSink(body, stream))
}

export function endRequestBody(
  run: PolicyRun,
  trailers: Fields | undefined,
  stream: ClientStream | undefined,
): void {
  if (run.headSuspended) return
  run.requestFilters ??= requestFilters(run.chain, run)
  if (run.requestFilters.empty) return
  run.requestFilters.end(new RequestSink(run.exchange.body, stream), trailers)
}

/** What came of the request body while a head phase held the exchange up passes the filters now. */
export function filterEarlyBody(run: PolicyRun): void {
  const { body } = run.exchange
  if (body.bytes === 0 && !body.ended) return
  const filters = requestFilters(run.chain, run)
  run.requestFilters = filters
  if (filters.empty) return
  const sink = new RequestSink(body, undefined)
  const early = Buffer.from(body.takeBack(), 'latin1')
  if (early.length > 0) filters.push(early, 0, early.length, sink)
  if (body.ended) filters.end(sink, body.trailers)
}

// oxlint-disable-next-line max-params -- the chunk as it comes: no object for it
export function passResponseBody(
  run: PolicyRun,
  buffer: Buffer,
  start: number,
  end: number,
  stream: ServerStream,
): boolean {
  if (run.held !== undefined) {
    run.held.add(buffer, start, end)
    return false
  }
  run.responseFilters ??= responseFilters(run.chain, run)
  const { pacer } = run
  if (!run.responseFilters.empty) {
    return run.responseFilters.push(buffer, start, end, pacer ?? new StreamSink(stream))
  }
  return pacer === undefined ? stream.sendData(buffer, start, end) : pacer.write(buffer, start, end)
}

/** False: the end waits until the response is no longer suspended, or what is held has gone. */
export function endResponseBody(
  run: PolicyRun,
  trailers: Fields | undefined,
  stream: ServerStream,
): boolean {
  if (run.held !== undefined) {
    run.held.end(trailers)
    return false
  }
  run.responseFilters ??= responseFilters(run.chain, run)
  if (!run.responseFilters.empty) {
    run.responseFilters.end(run.pacer ?? new StreamSink(stream), trailers)
  }
  if (trailers !== undefined) {
    for (const phase of run.chain.trailers) phase.trailers?.(run, trailers)
  }
  return run.pacer?.holdEnd(trailers) !== true
}
