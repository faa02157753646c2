/** A metric by its name, or named metrics. */
export type Metrics = Readonly<Record<string, number | Readonly<Record<string, number>>>>

const doubles: Readonly<Record<string, number>> = {
  cpu_utilization: 1,
  mem_utilization: 2,
  rps_fractional: 6,
  eps: 7,
  application_utilization: 9,
}
const maps: Readonly<Record<string, number>> = { request_cost: 4, utilization: 5, named_metrics: 8 }

/** An xds.data.orca.v3.OrcaLoadReport as protocol buffer. */
export function encodeReportBytes(metrics: Metrics): Buffer {
  const parts: Buffer[] = []
  for (const [name, value] of Object.entries(metrics)) {
    if (typeof value === 'number') parts.push(doubleField(doubles[name] as number, value))
    else {
      for (const [key, own] of Object.entries(value)) {
        const entry = Buffer.concat([bytesField(1, Buffer.from(key)), doubleField(2, own)])
        parts.push(bytesField(maps[name] as number, entry))
      }
    }
  }
  return Buffer.concat(parts)
}

/** The same in base64, with padding. */
export function encodeReport(metrics: Metrics): string {
  return encodeReportBytes(metrics).toString('base64')
}

function doubleField(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(9)
  bytes[0] = (field << 3) | 1
  bytes.writeDoubleLE(value, 1)
  return bytes
}

/** Of up to 127 bytes. */
function bytesField(field: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from([(field << 3) | 2, value.length]), value])
}
