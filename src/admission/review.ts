import type { Diagnostic } from '#src/annotations/diagnostics.ts'
import { diagnosticCodes } from '#src/annotations/diagnostics.ts'
import type { Judgement } from './judge.ts'

/** The part of an AdmissionReview (admission.k8s.io/v1) that is read. */
export interface Review {
  readonly uid: string
  readonly group: string
  readonly kind: string
  readonly operation: string
  readonly namespace: string
  readonly name: string
  readonly object: Readonly<Record<string, unknown>>
}

export const reviewVersion = 'admission.k8s.io/v1'

/** Longer warnings are cut by the API server, and more are dropped. */
const warningLengthMax = 256
const warningsMax = 10
/** Faults that a refusal names; the rest is counted. */
const faultsShownMax = 5
const messageLengthMax = 1024

/** Reads a review, or says what is wrong with it. Never throws. */
export function readReview(text: string): Review | string {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return 'the body is not JSON'
  }
  if (!isRecord(parsed)) return 'the body must be an AdmissionReview'
  const { apiVersion, kind, request } = parsed
  if (kind !== 'AdmissionReview') return 'kind must be AdmissionReview'
  if (apiVersion !== reviewVersion) return `apiVersion must be ${reviewVersion}`
  if (!isRecord(request)) return 'request is missing'
  const uid = request['uid']
  if (typeof uid !== 'string' || uid === '') return 'request.uid is missing'
  const object = request['object']
  const about = isRecord(request['kind']) ? request['kind'] : {}
  return {
    uid,
    group: textOf(about['group']),
    kind: textOf(about['kind']),
    operation: textOf(request['operation']),
    namespace: textOf(request['namespace']),
    name: textOf(request['name']),
    object: isRecord(object) ? object : {},
  }
}

/** The answer to a review. */
export interface Answer {
  readonly uid: string
  readonly allowed: boolean
  readonly warnings?: readonly string[]
  readonly status?: { readonly code: number; readonly reason: string; readonly message: string }
}

export function answerOf(uid: string, { faults, warnings }: Judgement): Answer {
  const shown = warnings.slice(0, warningsMax).map((finding) => cut(warningText(finding)))
  const more = warnings.length - shown.length
  if (more > 0) shown[warningsMax - 1] = `and ${more + 1} warnings more: see headgate lint`
  const common = { uid, ...(shown.length > 0 && { warnings: shown }) }
  if (faults.length === 0) return { ...common, allowed: true }
  return {
    ...common,
    allowed: false,
    status: { code: 422, reason: 'Invalid', message: refusalText(faults) },
  }
}

/** The API server need not wait for us: allowed, and said that nobody looked. */
export function uncheckedAnswer(uid: string, why: string): Answer {
  return { uid, allowed: true, warnings: [cut(`not checked by headgate: ${why}`)] }
}

/** The AdmissionReview around an answer. */
export function reviewText(response: Answer): string {
  return JSON.stringify({ apiVersion: reviewVersion, kind: 'AdmissionReview', response })
}

function refusalText(faults: readonly Diagnostic[]): string {
  const shown = faults.slice(0, faultsShownMax).map((finding) => faultText(finding))
  const more = faults.length - shown.length
  const text = shown.join('; ') + (more > 0 ? `; and ${more} faults more` : '')
  return text.length <= messageLengthMax ? text : `${text.slice(0, messageLengthMax)}…`
}

function faultText({ field, message }: Diagnostic): string {
  return plain(field === '' ? message : `${field}: ${message}`)
}

function warningText(finding: Diagnostic): string {
  const { kind, namespace, name, code } = finding
  const about = `${kind} ${namespace}/${name}`
  return `${about}: ${faultText(finding)}. ${diagnosticCodes[code].effect}`
}

function cut(text: string): string {
  return text.length <= warningLengthMax ? text : `${text.slice(0, warningLengthMax - 1)}…`
}

/** On one line: it goes into a header field. */
function plain(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ')
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
