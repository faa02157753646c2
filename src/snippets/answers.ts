import { fieldProblem } from '#src/policies/field-lists.ts'
import type { Expiry, FieldEdit } from '#src/policies/snippets/program.ts'
import type { Directive } from './directives.ts'
import type { Level, Place } from './level.ts'
import { readValue } from './values.ts'
import type { DirectiveRow, DirectiveTable } from './row.ts'

const levels: readonly Place[] = ['location', 'server', 'server-location']
const conditional: readonly Place[] = [...levels, 'location-if', 'server-location-if']

/** A directive of the headers-more module: options, then fields. */
function edits(mode: 'set' | 'clear', doc: string): DirectiveRow {
  return {
    kind: 'translated',
    places: conditional,
    words: [1, 64],
    doc,
    read: (directive, level) => readEdits(directive, level, mode),
  }
}

/** Directives about the answer, and those that edit the fields of the request. */
export const answerTable: DirectiveTable = {
  add_header: {
    kind: 'translated',
    places: conditional,
    words: [2, 3],
    doc: 'Adds a field to answers with 200, 201, 204, 206, 301 to 304, 307 and 308, or to all with always. A level that adds any takes over none from around it.',
    read: readAdded,
  },
  more_set_headers: edits(
    'set',
    'Sets fields of all answers; -s and -t name statuses and media types.',
  ),
  more_clear_headers: edits(
    'clear',
    'Takes fields out of answers; a * at the end of a name stands for any rest.',
  ),
  more_set_input_headers: edits(
    'set',
    'Sets fields of the request before access is decided; -r: only where they are there.',
  ),
  more_clear_input_headers: edits(
    'clear',
    'Takes fields out of the request before access is decided.',
  ),
  proxy_hide_header: {
    kind: 'translated',
    places: ['location', 'server'],
    words: [1, 1],
    doc: 'Takes a field of the upstream out of its answers.',
    read({ words }, { program }) {
      const name = words[0]?.text ?? ''
      const problem = fieldProblem(name, '')
      if (problem === undefined) program.hidden.push(name)
      return problem
    },
  },
  expires: {
    kind: 'translated',
    places: conditional,
    words: [1, 1],
    doc: 'Sets Expires and Cache-Control: a time, max, epoch or off.',
    read({ words }, { scope }) {
      const expires = readExpiry(words[0]?.text ?? '')
      if (expires === undefined) return 'takes a time such as 1h, -1, max, epoch or off'
      scope.expires = expires
      return undefined
    },
  },
  charset: {
    kind: 'translated',
    places: conditional,
    words: [1, 1],
    doc: 'Adds the character set to Content-Type where none is named. Bodies are not converted.',
    read({ words }, { scope }) {
      const charset = words[0]?.text ?? ''
      if (!/^[-\w]{1,40}$/.test(charset)) return `${JSON.stringify(charset)} names no character set`
      if (charset !== 'off') scope.charset = charset
      return undefined
    },
  },
  default_type: {
    kind: 'translated',
    places: levels,
    words: [1, 1],
    doc: 'The media type of return with a body.',
    read({ words }, { program }) {
      const type = words[0]?.text ?? ''
      if (!/^[-\w.+]+\/[-\w.+]+(?:; ?[-\w]+=[-\w]+)?$/.test(type)) {
        return `${JSON.stringify(type)} is no media type`
      }
      program.defaultType = type
      return undefined
    },
  },
  error_page: {
    kind: 'translated',
    places: conditional,
    words: [2, 32],
    doc: 'Sends clients to a URL in place of answers of Headgate itself. Paths and named locations are refused.',
    read: readErrorPage,
  },
}

function readAdded({ words }: Directive, { shared, scope }: Level): string | undefined {
  const [name = '', text = '', last] = words.map((word) => word.text)
  if (last !== undefined && last !== 'always') return `${JSON.stringify(last)} is not always`
  const value = readValue(text, shared.locals)
  if ('problem' in value) return value.problem
  const problem = fieldProblem(name, text)
  if (problem !== undefined) return problem
  scope.added.push({ name, value: value.value, always: last === 'always' })
  return undefined
}

type Choices = Pick<FieldEdit, 'present' | 'statuses' | 'types'>

function readEdits(
  { name: directive, words }: Directive,
  { shared, scope }: Level,
  mode: 'set' | 'clear',
): string | undefined {
  const input = directive.includes('input')
  const texts = words.map(({ text }) => text)
  const choices = readChoices(texts, input)
  if (typeof choices === 'string') return choices
  if (texts.length === 0) return 'names no field'
  for (const text of texts) {
    const edit = readEdit(text, mode, shared.locals)
    if (typeof edit === 'string') return edit
    if (input && edit.name.toLowerCase() === 'host') return 'Host is changed by upstream-vhost'
    const list = input ? scope.inputEdits : scope.edits
    list.push({ ...edit, ...choices })
  }
  return undefined
}

/** `Name: value`, or a name alone for a field that goes. */
function readEdit(
  text: string,
  mode: 'set' | 'clear',
  locals: ReadonlySet<string>,
): Pick<FieldEdit, 'name' | 'value'> | string {
  const colon = mode === 'set' ? text.indexOf(':') : -1
  const name = (colon < 0 ? text : text.slice(0, colon)).trim()
  const shown = colon < 0 ? '' : text.slice(colon + 1).trim()
  const wild = mode === 'clear' && name.endsWith('*') && name.length > 1
  const problem = fieldProblem(wild ? name.slice(0, -1) : name, shown)
  if (problem !== undefined) return problem
  const value = readValue(shown, locals)
  return 'problem' in value ? value.problem : { name, value: value.value }
}

/** Takes the options off the front of the words. */
function readChoices(texts: string[], input: boolean): Choices | string {
  let present = false
  const statuses: number[] = []
  const types: string[] = []
  while (texts[0]?.startsWith('-') === true) {
    const option = texts.shift() ?? ''
    if (input && option === '-r') {
      present = true
      continue
    }
    const list = input ? [] : (texts.shift() ?? '').split(/\s+/).filter(Boolean)
    if (option === '-s' && areStatuses(list)) statuses.push(...list.map(Number))
    else if (option === '-t' && list.length > 0) {
      types.push(...list.map((type) => type.toLowerCase()))
    } else return `${option} ${list.join(' ')} is not an option that is known here`
  }
  return { present, statuses, types }
}

function areStatuses(list: readonly string[]): boolean {
  return list.length > 0 && list.every((code) => /^[1-5]\d\d$/.test(code))
}

const units: Readonly<Record<string, number>> = {
  '': 1,
  s: 1,
  m: 60,
  h: 3600,
  d: 86_400,
  w: 604_800,
  M: 2_592_000,
  y: 31_536_000,
}

function readExpiry(text: string): Expiry | undefined {
  if (text === 'off' || text === 'max' || text === 'epoch') return text
  const [, sign = '', rest = ''] = /^([+-]?)((?:\d{1,9}[smhdwMy]?)+)$/.exec(text) ?? []
  if (rest === '') return undefined
  let seconds = 0
  for (const [, count, unit = ''] of rest.matchAll(/(\d+)([smhdwMy]?)/g)) {
    seconds += Number(count) * (units[unit] ?? 1)
  }
  return { seconds: sign === '-' ? -seconds : seconds }
}

function readErrorPage({ words }: Directive, { shared, scope }: Level): string | undefined {
  const texts = words.map(({ text }) => text)
  const url = texts.pop() ?? ''
  const change = texts.at(-1)?.startsWith('=') === true ? (texts.pop() ?? '') : ''
  if (!/^(?:https?:\/\/|\$scheme)/.test(url)) {
    return `${url} is not a URL; pages of one's own come with custom-http-errors and default-backend`
  }
  if (texts.length === 0 || !texts.every((code) => /^[3-5]\d\d$/.test(code))) {
    return 'takes statuses from 300 to 599 and a URL'
  }
  const status = Number(change.slice(1) || '302')
  const value = readValue(url, shared.locals)
  if ('problem' in value) return value.problem
  const redirect = [301, 302, 303, 307, 308].includes(status) ? status : 302
  scope.errorPages.push({ statuses: texts.map(Number), status: redirect, url: value.value })
  return undefined
}
