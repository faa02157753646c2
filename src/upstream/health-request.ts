import type { HealthCheck } from '#src/table/table.ts'
import { getRequest } from './probe.ts'
import type { Probe, ProbeOutcome, ProbeRequest } from './probe.ts'

const userAgent = 'headgate-health-check'
/** Bytes before each message of gRPC: whether it is compressed, and its length. */
const prefixBytes = 5
/** HealthCheckResponse.ServingStatus. */
const serving = 1

/** The request of a health check. */
export function healthRequest(check: HealthCheck): ProbeRequest {
  const { timeoutMs } = check
  if (check.kind === 'http') return getRequest(check.path, userAgent, timeoutMs)
  return {
    method: 'POST',
    target: '/grpc.health.v1.Health/Check',
    fields: [
      'User-Agent',
      userAgent,
      'Content-Type',
      'application/grpc',
      'Grpc-Timeout',
      // At most eight digits (gRPC over HTTP/2).
      `${Math.min(99_999_999, Math.ceil(timeoutMs))}m`,
    ],
    body: healthMessage(check.service),
    timeoutMs,
  }
}

/** HealthCheckRequest { string service = 1 } behind the prefix of gRPC. */
function healthMessage(service: string): Buffer {
  const name = Buffer.from(service)
  const length = Buffer.from(
    name.length < 0x80 ? [name.length] : [(name.length & 0x7f) | 0x80, name.length >> 7],
  )
  const message = name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a]), length, name])
  const prefix = Buffer.alloc(prefixBytes)
  prefix.writeUInt32BE(message.length, 1)
  return Buffer.concat([prefix, message])
}

/** Why a check failed, in a few words; '' for a good one. */
export function healthProblem(check: HealthCheck, probe: Probe, outcome: ProbeOutcome): string {
  const { response } = probe
  if (outcome !== 'answered' || response === undefined) return outcome
  const { status } = response
  if (check.kind === 'http') return status >= 200 && status <= 399 ? '' : `status ${status}`
  if (status !== 200) return `status ${status}`
  const code = probe.trailers?.get('grpc-status') ?? response.fields.get('grpc-status')
  if (code !== '0') return `grpc-status ${code === undefined ? 'missing' : code.slice(0, 8)}`
  return isServing(probe.body) ? '' : 'not serving'
}

/** HealthCheckResponse { ServingStatus status = 1 } in one message that is not compressed. */
function isServing(body: Buffer): boolean {
  if (body.length < prefixBytes || body[0] !== 0) return false
  const message = body.subarray(prefixBytes)
  if (message.length !== body.readUInt32BE(1)) return false
  return message.length === 2 && message[0] === 0x08 && message[1] === serving
}
