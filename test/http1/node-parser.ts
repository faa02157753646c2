import { getBuiltinModule } from 'node:process'

/** What Node's own parser (llhttp) makes of bytes. */
export interface NodeMessage {
  readonly version: string
  readonly method: string
  readonly url: string
  readonly status: number
  /** [name, value, …] as sent. */
  readonly fields: readonly string[]
  readonly keepAlive: boolean
  readonly upgrade: boolean
  body: string
  trailers: readonly string[]
  whole: boolean
}

export interface NodeReading {
  readonly messages: readonly NodeMessage[]
  /** The code of its complaint, '' for none. */
  readonly error: string
}

interface NodeParser {
  initialize(type: number, resource: object): void
  execute(bytes: Buffer): number | Error
  finish(): undefined | Error
  [callback: number]: (...values: never[]) => unknown
}

interface ParserConstructor {
  new (): NodeParser
  readonly REQUEST: number
  readonly RESPONSE: number
  readonly kOnHeaders: number
  readonly kOnHeadersComplete: number
  readonly kOnBody: number
  readonly kOnMessageComplete: number
}

const { HTTPParser, methods } = getBuiltinModule('node:_http_common') as unknown as {
  readonly HTTPParser: ParserConstructor
  readonly methods: readonly string[]
}

/** Methods that the parser knows; it refuses every other. */
export const nodeMethods: ReadonlySet<string> = new Set(methods)

/** Reads all messages in the text, behind which the connection ends. */
export function readWithNode(text: string, role: 'request' | 'response'): NodeReading {
  const parser = new HTTPParser()
  const messages: NodeMessage[] = []
  parser.initialize(role === 'request' ? HTTPParser.REQUEST : HTTPParser.RESPONSE, {})
  // Many fields come in several calls.
  let early: string[] = []
  let url = ''
  parser[HTTPParser.kOnHeaders] = (fields: string[], target: string) => {
    early.push(...fields)
    url += target
  }
  // oxlint-disable-next-line max-params -- as Node calls it
  parser[HTTPParser.kOnHeadersComplete] = (
    major: number,
    minor: number,
    fields: string[] | undefined,
    method: number | undefined,
    target: string | undefined,
    status: number | undefined,
    _reason: string | undefined,
    upgrade: boolean,
    keepAlive: boolean,
  ) => {
    messages.push({
      version: `${major}.${minor}`,
      method: method === undefined ? '' : (methods[method] ?? ''),
      url: target ?? url,
      status: status ?? 0,
      fields: fields ?? early,
      keepAlive,
      upgrade,
      body: '',
      trailers: [],
      whole: false,
    })
    early = []
    url = ''
    return 0
  }
  parser[HTTPParser.kOnBody] = (body: Buffer) => {
    const last = messages.at(-1)
    if (last !== undefined) last.body += body.latin1Slice()
  }
  parser[HTTPParser.kOnMessageComplete] = () => {
    const last = messages.at(-1)
    if (last === undefined) return
    last.whole = true
    last.trailers = early
    early = []
    url = ''
  }
  const result = parser.execute(Buffer.from(text, 'latin1'))
  const end = result instanceof Error ? result : parser.finish()
  const error = end instanceof Error ? (end as Error & { code: string }).code : ''
  return { messages, error }
}
