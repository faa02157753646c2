import { isDeepStrictEqual } from 'node:util'
import { cidr } from '#src/annotations/names.ts'
import { fieldProblem } from '#src/policies/field-lists.ts'
import type { Directive } from './directives.ts'
import type { Level } from './level.ts'
import { readValue } from './values.ts'
import type { DirectiveTable } from './row.ts'

/** Directives about what the upstream gets, and who may ask it. */
export const requestTable: DirectiveTable = {
  proxy_set_header: {
    kind: 'translated',
    places: ['location', 'server', 'auth'],
    words: [2, 2],
    doc: 'Sets a field of the request to the upstream, once, in place of what the proxy sends; an empty value takes it away. In auth-snippet: of the request to the authentication service. In server-snippet it has no effect, for each location has a list of its own.',
    read: readRequestField,
  },
  grpc_set_header: {
    kind: 'translated',
    places: ['location'],
    words: [2, 2],
    doc: 'As proxy_set_header, whatever protocol the endpoints speak: the two are mostly written side by side, and must then say the same.',
    read(directive, level) {
      const before = level.program.requestFields.length
      const problem = readRequestField(directive, level)
      if (problem !== undefined) return problem
      const [added] = level.program.requestFields.slice(before)
      const lower = added?.name.toLowerCase()
      const other = level.program.requestFields.find(({ name }) => name.toLowerCase() === lower)
      return isDeepStrictEqual(other?.value, added?.value)
        ? undefined
        : `${added?.name} is set to something else for HTTP`
    },
  },
  proxy_pass_header: {
    kind: 'translated',
    places: ['location', 'server'],
    words: [1, 1],
    doc: 'Has no effect: fields pass anyway. Server, X-Pad and X-Accel-* never do, so they are refused.',
    read({ words, line }, { shared }) {
      const name = words[0]?.text.toLowerCase() ?? ''
      if (name === 'server' || name === 'x-pad' || name.startsWith('x-accel-')) {
        return `${name} of upstreams is never passed on`
      }
      shared.notes.push({ line, message: 'proxy_pass_header: the field passes anyway' })
      return undefined
    },
  },
  proxy_cookie_path: {
    kind: 'translated',
    places: ['location'],
    words: [2, 2],
    doc: 'Replaces the beginning of the Path of cookies that upstreams set; attributes may follow in the new text.',
    read({ words }, { program }) {
      const [from = '', to = ''] = words.map(({ text }) => text)
      if (/[~$]/.test(from + to)) return 'regular expressions and variables are not translated'
      if (!/^[!-:<-~]+$/.test(from) || !/^[ -~]+$/.test(to))
        return 'takes a path and its replacement'
      program.cookiePath = { from, to }
      return undefined
    },
  },
  allow: {
    kind: 'translated',
    places: ['location', 'server', 'server-location'],
    words: [1, 1],
    doc: 'Lets an address or a range pass; the first rule that holds decides, behind the lists of annotations.',
    read: (directive, level) => readAccess(directive, level, true),
  },
  deny: {
    kind: 'translated',
    places: ['location', 'server', 'server-location'],
    words: [1, 1],
    doc: 'Refuses an address, a range or all (403).',
    read: (directive, level) => readAccess(directive, level, false),
  },
}

/** What the proxy says about connections by itself, whoever asks for it. */
const webSocket = new Set(['upgrade', 'connection'])

function readRequestField({ words, line }: Directive, level: Level): string | undefined {
  const { shared, place, program } = level
  const [name = '', text = ''] = words.map((word) => word.text)
  if (place === 'server') {
    shared.notes.push({ line, message: 'proxy_set_header: each location has a list of its own' })
    return undefined
  }
  if (webSocket.has(name.toLowerCase()) && place === 'location') {
    const asks =
      /^(?:upgrade|close|keep-alive|)$|^\$(?:http_upgrade|connection_upgrade|http_connection)$/i
    if (!asks.test(text)) return `${name} is set by the proxy itself`
    shared.notes.push({ line, message: `${name}: WebSockets and kept connections need no setting` })
    return undefined
  }
  const value = readValue(text, shared.locals)
  if ('problem' in value) return value.problem
  const problem = fieldProblem(name, text)
  if (problem !== undefined) return problem
  program.requestFields.push({ name, value: value.value })
  return undefined
}

function readAccess({ words }: Directive, { program }: Level, allow: boolean): string | undefined {
  const text = words[0]?.text ?? ''
  const ranges = text === 'all' ? ['0.0.0.0/0', '::/0'] : [cidr.parse(text)]
  for (const range of ranges) {
    if (range === undefined) return `${JSON.stringify(text)} is not all, an address or a range`
    program.access.push({ allow, cidr: range })
  }
  return undefined
}
