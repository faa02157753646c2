import { valueOf } from './strict-reader.ts'
import type { Message } from './strict-reader.ts'

/** What U must have read, in an outcome that forwards. */
export interface Forwarded {
  readonly target: string
  readonly method?: string
  readonly version?: string
  readonly host?: string | readonly string[]
  readonly body?: string
  readonly cl?: string
  readonly has?: Readonly<Record<string, string>>
  readonly hasnt?: readonly string[]
  readonly re?: Readonly<Record<string, string>>
  readonly managed?: boolean
  readonly teTrailers?: boolean
  readonly closeAfter?: boolean
  readonly interims?: number
}

/** Several requests in one vector: the targets that U must have read, and how it ends. */
export interface Sequence {
  readonly seq?: readonly string[]
  readonly firstBody?: number
  readonly close?: boolean
  readonly connClose?: boolean
  readonly tail?: readonly number[]
  readonly custom?: 'earlyUpgrade'
}

export type Outcome =
  string | { fwd: Forwarded } | { local: string } | { wait: true } | { h2c: true }

export type Outcomes = readonly Outcome[] | { n: number; any: readonly Sequence[] }

/** What a vector led to. */
export interface Result {
  /** All that C got, and whether the connection has ended in good order. */
  readonly received: string
  readonly ended: boolean
  readonly responses: readonly Message[]
  /** Whole requests that U read. */
  readonly requests: readonly Message[]
  /** U has a part of another request, on a connection that P kept. */
  readonly keptUnfinished: boolean
}

export function methodOf(message: Message): string {
  return message.startLine.split(' ')[0] ?? ''
}

export function targetOf(message: Message): string {
  return message.startLine.split(' ')[1] ?? ''
}

export function statusOf(message: Message): number {
  return Number(message.startLine.slice(9, 12))
}

/** The problems with each outcome; none when one of them fits. */
export function judge(result: Result, outcomes: Outcomes): string[] {
  let problems: string[]
  if ('any' in outcomes) {
    problems = outcomes.any.map((sequence) => judgeSequence(result, sequence))
    if (result.responses.length > outcomes.n) return ['more responses than requests']
  } else {
    problems = outcomes.map((outcome) => judgeOutcome(result, outcome))
  }
  return problems.includes('') ? [] : problems
}

/** The first of these that is so, or ''. */
function first(...problems: readonly (readonly [found: boolean, problem: string])[]): string {
  return problems.find(([found]) => found)?.[1] ?? ''
}

function judgeOutcome(result: Result, outcome: Outcome): string {
  if (typeof outcome === 'string') {
    if (outcome === 'silent') return first([result.received !== '', 'not silent'])
    return judgeRefusal(result, /rej ([\d|]+)/.exec(outcome)?.[1] ?? '')
  }
  if ('fwd' in outcome) {
    const problem = judgeRequest(result.requests, outcome.fwd)
    return problem === '' ? judgeAnswer(result, outcome.fwd) : problem
  }
  if ('wait' in outcome) return first([result.received !== '' || result.ended, 'did not wait'])
  return 'local' in outcome ? judgeLocal(result, outcome.local) : 'no HTTP/2 here'
}

function judgeLocal({ requests, responses }: Result, wanted: string): string {
  const status = responses[0]?.startLine.slice(9, 12) ?? ''
  return first(
    [requests.length > 0, 'forwarded'],
    [responses.length !== 1, `${responses.length} responses`],
    [wanted === '2xx' && !status.startsWith('2'), `status ${status}`],
  )
}

function judgeRefusal(result: Result, statuses: string): string {
  const { responses, requests } = result
  const status = responses[0]?.startLine.slice(9, 12) ?? ''
  return first(
    [responses.length !== 1, `${responses.length} responses`],
    [!statuses.split('|').includes(status), `status ${status}`],
    [!result.ended, 'the connection stays open'],
    [requests.length > 0, 'U got a whole request'],
    [result.keptUnfinished, 'a half-used connection was kept'],
  )
}

function judgeRequest(requests: readonly Message[], wanted: Forwarded): string {
  const [request] = requests
  if (request === undefined || requests.length > 1) return `U got ${requests.length} requests`
  const [method, target, version] = request.startLine.split(' ')
  const problem = first(
    [target !== wanted.target, `target ${target}`],
    [method !== (wanted.method ?? method), `method ${method}`],
    [version !== `HTTP/${wanted.version ?? '1.1'}`, `version ${version}`],
    [request.body !== (wanted.body ?? request.body), `body ${request.body}`],
  )
  return problem === '' ? judgeFields(request, wanted) : problem
}

const managed = ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-real-ip']

function judgeFields(request: Message, wanted: Forwarded): string {
  const value = (name: string): string => valueOf(request, name) ?? ''
  const has = Object.entries(wanted.has ?? {})
  const forms = Object.entries(wanted.re ?? {})
  const hosts = [wanted.host ?? value('host')].flat()
  const te = ['', 'trailers'].includes(value('te'))
  return first(
    [!hosts.includes(value('host')), `host ${value('host')}`],
    [value('content-length') !== (wanted.cl ?? value('content-length')), 'another length'],
    [has.some(([name, text]) => value(name) !== text), 'a field has another value'],
    [forms.some(([name, form]) => !new RegExp(form).test(value(name))), 'a field has another form'],
    [(wanted.hasnt ?? []).some((name) => value(name) !== ''), 'a field is there'],
    [wanted.managed === true && managed.some((name) => value(name) === ''), 'a field of P is gone'],
    [wanted.teTrailers === true && !te, `te ${value('te')}`],
  )
}

function judgeAnswer({ responses, ended }: Result, wanted: Forwarded): string {
  const finals = responses.filter((response) => statusOf(response) >= 200)
  const statuses = finals.map(statusOf).join(' ')
  return first(
    [statuses !== '200', `statuses ${statuses}`],
    [responses.length - finals.length > (wanted.interims ?? 0), 'interim responses'],
    [finals[0]?.body !== 'ok', 'C got another body'],
    [wanted.closeAfter === true && !ended, 'the connection stays open'],
  )
}

function judgeSequence({ requests, responses, ended }: Result, wanted: Sequence): string {
  const targets = requests.map(targetOf)
  if (wanted.custom === 'earlyUpgrade') {
    // Either way the bytes behind the offer were read as a request of their own, by P.
    return first(
      [!['/', '/ /evil'].includes(targets.join(' ')), `U got ${targets.join(' ')}`],
      [responses.length !== requests.length, `${responses.length} responses`],
    )
  }
  const statuses = [...targets.map(() => 200), ...(wanted.tail ?? [])]
  const last = responses.at(-1)
  const option = last === undefined ? '' : valueOf(last, 'connection')
  const size = requests[0]?.body.length
  return first(
    [targets.join(' ') !== (wanted.seq ?? []).join(' '), `U got ${targets.join(' ')}`],
    [responses.map(statusOf).join(' ') !== statuses.join(' '), 'other responses'],
    [size !== (wanted.firstBody ?? size), 'another body'],
    [wanted.connClose === true && option !== 'close', 'no close option'],
    [wanted.close === true && !ended, 'the connection stays open'],
  )
}
