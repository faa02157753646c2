import type { LoadReport } from '#algorithms/balance/balancer.ts'
import type { Fields } from '#src/exchange/fields.ts'
import { assignMetric, clearReport } from './metrics.ts'
import { readBinaryReport } from './protobuf.ts'

/** What was found in the fields of an answer. */
export type ReportReading = 'none' | 'read' | 'malformed'

const plainName = 'endpoint-load-metrics'
/** As gRPC names it: base64 of the protocol buffer, in a trailer or, without a message, in the head. */
const binaryName = 'endpoint-load-metrics-bin'

/** A report is a few numbers; nobody needs more than this. */
const reportCharactersMax = 4096

/**
 * Reads the load report of an endpoint (ORCA, Open Request Cost Aggregation) out of the head or the
 * trailers of its answer into `report`, and takes it out of the fields: it is not the client's business.
 *
 * Source: xds.data.orca.v3.OrcaLoadReport and Envoy's reader of it: `endpoint-load-metrics` begins with
 * TEXT, JSON or BIN and a space; `endpoint-load-metrics-bin` wins over it. Metrics that we do not use are
 * skipped, values that are no numbers spoil the report.
 */
export function takeLoadReport(fields: Fields, report: LoadReport): ReportReading {
  const binary = fields.get(binaryName)
  const plain = fields.get(plainName)
  if (binary === undefined && plain === undefined) return 'none'
  fields.remove(binaryName)
  fields.remove(plainName)
  clearReport(report)
  const text = binary === undefined ? (plain as string) : `BIN ${binary}`
  return text.length <= reportCharactersMax && readReport(text, report) ? 'read' : 'malformed'
}

function readReport(text: string, report: LoadReport): boolean {
  const rest = text.slice(5)
  if (text.startsWith('TEXT ')) return readText(rest, report)
  if (text.startsWith('JSON ')) return readJson(rest, report)
  return text.startsWith('BIN ') && readBinaryReport(text.slice(4), report)
}

/** `name=value` or `name:value`, with commas between. */
function readText(text: string, report: LoadReport): boolean {
  const seen = new Set<string>()
  for (const entry of text.split(',')) {
    const at = entry.search(/[:=]/)
    const name = entry.slice(0, at).trim()
    if (at < 0 || name === '' || seen.has(name)) return false
    seen.add(name)
    const value = entry.slice(at + 1).trim()
    if (!assignMetric(report, name, numberOf(value))) return false
  }
  return true
}

/** JSON of a protocol buffer: names in either spelling, numbers also as texts. */
function readJson(text: string, report: LoadReport): boolean {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return false
  }
  if (!isObject(parsed)) return false
  for (const [name, value] of Object.entries(parsed)) {
    const own = snakeCase(name)
    if (!isObject(value)) {
      if (!assignMetric(report, own, jsonNumber(value))) return false
      continue
    }
    for (const [key, metric] of Object.entries(value)) {
      if (!assignMetric(report, `${own}.${key}`, jsonNumber(metric))) return false
    }
  }
  return true
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

function jsonNumber(value: unknown): number {
  if (typeof value === 'string') return numberOf(value)
  return typeof value === 'number' ? value : NaN
}

/** NaN for what is no decimal number. */
function numberOf(text: string): number {
  return /^-?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/.test(text) ? Number(text) : NaN
}
