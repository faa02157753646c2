import * as grpc from '@grpc/grpc-js'

/** A span as it came over the wire. */
export interface ReceivedSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentId: string
  readonly traceState: string
  readonly name: string
  readonly kind: number
  readonly startNanos: bigint
  readonly endNanos: bigint
  readonly statusCode: number
  readonly attributes: Readonly<Record<string, string | number>>
  /** Of the resource. */
  readonly service: string
}

/** A collector of OTLP over gRPC on a free port of 127.0.0.1. */
export interface OtlpCollector {
  readonly port: number
  readonly spans: readonly ReceivedSpan[]
  /** Status that calls end with. */
  status: grpc.status
  /** Resolves once so many spans are there. */
  received(count: number): Promise<void>
  stop(): void
}

const method: grpc.MethodDefinition<Buffer, Buffer> = {
  path: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
  requestStream: false,
  responseStream: false,
  requestSerialize: (message) => message,
  requestDeserialize: (message) => message,
  responseSerialize: (message) => message,
  responseDeserialize: (message) => message,
}

/** Starts one; `port` 0 is any free one. */
export async function startOtlpCollector(port = 0): Promise<OtlpCollector> {
  const spans: ReceivedSpan[] = []
  const waiting = new Set<() => void>()
  const server = new grpc.Server()
  const collector = { status: grpc.status.OK }
  server.addService(
    { export: method },
    {
      export(
        { request }: grpc.ServerUnaryCall<Buffer, Buffer>,
        done: grpc.sendUnaryData<Buffer>,
      ): void {
        if (collector.status !== grpc.status.OK) {
          done({ code: collector.status, details: 'as the test says' })
          return
        }
        spans.push(...readRequest(request))
        done(null, Buffer.alloc(0))
        for (const wake of waiting) wake()
      },
    },
  )
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(
      `127.0.0.1:${port}`,
      grpc.ServerCredentials.createInsecure(),
      (error, actual) => {
        if (error === null) resolve(actual)
        else reject(error)
      },
    )
  })
  return Object.assign(collector, {
    port: bound,
    spans,
    async received(count: number) {
      while (spans.length < count) {
        await new Promise<void>((resolve) => {
          waiting.add(resolve)
        })
      }
    },
    stop() {
      server.forceShutdown()
    },
  })
}

type Fields = Map<number, (Buffer | bigint)[]>

/** The fields of one message of protocol buffers. */
function fieldsOf(message: Buffer): Fields {
  const fields: Fields = new Map()
  let at = 0
  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = message[at++] as number
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
  while (at < message.length) {
    const tag = Number(varint())
    let value: Buffer | bigint
    if ((tag & 7) === 0) value = varint()
    else {
      const length = { 1: 8, 2: -1, 5: 4 }[tag & 7] as number
      const size = length < 0 ? Number(varint()) : length
      value = message.subarray(at, at + size)
      at += size
    }
    const list = fields.get(tag >> 3)
    if (list === undefined) fields.set(tag >> 3, [value])
    else list.push(value)
  }
  return fields
}

function messages(fields: Fields, number: number): Fields[] {
  return (fields.get(number) ?? []).map((value) => fieldsOf(value as Buffer))
}

function bytes(fields: Fields, number: number): Buffer {
  return (fields.get(number)?.[0] as Buffer | undefined) ?? Buffer.alloc(0)
}

/** opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest. */
function readRequest(request: Buffer): ReceivedSpan[] {
  return messages(fieldsOf(request), 1).flatMap((resourceSpans) => {
    const [resource] = messages(resourceSpans, 1)
    const service = attributesOf(resource as Fields, 1)['service.name'] ?? ''
    return messages(resourceSpans, 2).flatMap((scope) =>
      messages(scope, 2).map((span) => readSpan(span, String(service))),
    )
  })
}

function readSpan(span: Fields, service: string): ReceivedSpan {
  const [status] = messages(span, 15)
  return {
    traceId: bytes(span, 1).toString('hex'),
    spanId: bytes(span, 2).toString('hex'),
    traceState: bytes(span, 3).toString(),
    parentId: bytes(span, 4).toString('hex'),
    name: bytes(span, 5).toString(),
    kind: Number(span.get(6)?.[0] ?? 0),
    startNanos: bytes(span, 7).readBigUInt64LE(),
    endNanos: bytes(span, 8).readBigUInt64LE(),
    attributes: attributesOf(span, 9),
    statusCode: Number(status?.get(3)?.[0] ?? 0),
    service,
  }
}

function attributesOf(fields: Fields, number: number): Record<string, string | number> {
  return Object.fromEntries(
    messages(fields, number).map((entry) => {
      const [value] = messages(entry, 2) as [Fields]
      const whole = value.get(3)?.[0]
      const text = whole === undefined ? bytes(value, 1).toString() : Number(whole)
      return [bytes(entry, 1).toString(), text]
    }),
  )
}
