import { isHostPattern } from '#src/annotations/names.ts'
import { oneOf } from '#src/annotations/types.ts'
import type { ValueType } from '#src/annotations/types.ts'
import { GatheredText } from '#src/exchange/gathered-text.ts'
import type { RequestHead } from '#src/exchange/heads.ts'
import { policy } from './policy-definition.ts'
import { CONTINUE } from './policy.ts'
import type { BodyFilter, BodySink, PolicyExchange } from './policy.ts'
import { readServiceUrl, serviceUrl } from './service-url.ts'
import type { ServiceUrl } from './service-url.ts'
import { statePlaces } from './state-places.ts'
import { renderTemplate, templateType } from './template.ts'
import type { Template } from './template.ts'

/** Who gets a copy of each request. */
export interface MirrorConfig extends ServiceUrl {
  /** Host field of the copy; empty: the host of the target. */
  readonly host: Template
  readonly body: boolean
}

/** A body is copied up to this size; a request with a longer one is not mirrored. */
export const mirroredBytesMax = 1024 * 1024

const hostText = templateType(
  'a host such as test.example.com, with a port if need be, which may hold variables',
  { shape: /^[-.:[\]\w${}]+$/ },
)

const mirrorHost: ValueType<Template> = {
  ...hostText,
  parse: (text) => (text.includes('$') || isAuthority(text) ? hostText.parse(text) : undefined),
}

function isAuthority(text: string): boolean {
  const [, name = ''] = /^([-.\w]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i.exec(text) ?? []
  if (name === '' || name.includes('*')) return false
  return isHostPattern(name.toLowerCase()) || URL.canParse(`http://${name}/`)
}

/** Copies of requests for another service, whose answers are thrown away. */
export const mirror = policy({
  annotations: {
    'mirror-target': {
      type: {
        ...serviceUrl,
        expects: 'a URL such as https://test.example.com$request_uri, which may hold variables',
      },
      default: '',
      doc: 'A URL that gets a copy of each request. What becomes of the copy never shows: it is sent once the body is whole, and not at all if the body is longer than 1 MiB or the worker has too many copies under way. Of variables, only $host may stand in the host. The copy has what the upstream is told, X-Forwarded-* and X-Request-ID among it, which ingress-nginx leaves out.',
      example: 'https://test.example.com$request_uri',
      risk: 'high',
      scope: 'path',
      compatibility: 'same',
    },
    'mirror-request-body': {
      type: oneOf(['on', 'off']),
      default: 'on',
      doc: 'Whether the copy has the body of the request.',
      example: 'off',
      risk: 'low',
      scope: 'path',
      compatibility: 'same',
    },
    'mirror-host': {
      type: mirrorHost,
      default: [] as Template,
      doc: 'Host field of the copy; the host of mirror-target when absent.',
      example: 'test.example.com',
      risk: 'high',
      scope: 'path',
      compatibility: 'same',
    },
  },
  options: {},

  configure(values, context): MirrorConfig | undefined {
    const url = values['mirror-target']
    if (url === '') return undefined
    const service = readServiceUrl(url, context)
    if ('problem' in service) {
      context.report('mirror-target', service.problem)
      return undefined
    }
    return {
      ...service,
      authority: service.authority.replace(/:\d+$/, ''),
      host: values['mirror-host'],
      body: values['mirror-request-body'] === 'on',
    }
  },

  start(config) {
    return {
      requestHead(exchange) {
        if (!exchange.mirrors.begin()) return CONTINUE
        const copy = new Copy(config, exchange)
        const { contentLength, upgrade } = exchange.request
        // A tunnel has no body that could be whole.
        if (config.body && contentLength !== 0 && upgrade === '')
          exchange.state[statePlaces.mirrorCopy] = copy
        else copy.send()
        return CONTINUE
      },
      filterRequestBody: (exchange) => exchange.state[statePlaces.mirrorCopy] as Copy | undefined,
      end(exchange) {
        const copy = exchange.state[statePlaces.mirrorCopy] as Copy | undefined
        copy?.giveUp('cut')
      },
    }
  },
})

/** The copy of one request while its body comes. */
class Copy implements BodyFilter {
  readonly #config: MirrorConfig
  readonly #exchange: PolicyExchange
  readonly #method: string
  readonly #authority: string
  readonly #target: string
  readonly #fields: readonly string[]
  #body = new GatheredText()
  #over = false

  constructor(config: MirrorConfig, exchange: PolicyExchange) {
    this.#config = config
    this.#exchange = exchange
    this.#method = exchange.request.method
    this.#authority = authorityFor(config, exchange)
    this.#target = targetFor(config, exchange)
    // Now, because policies behind this one change what the upstream is to see.
    this.#fields = fieldsOf(exchange.request, config.body)
  }

  onChunk(buffer: Buffer, start: number, end: number, sink: BodySink): void {
    this.#add(buffer, start, end)
    sink.write(buffer, start, end)
  }

  onEnd(): void {
    this.send()
  }

  send(): void {
    if (this.#over) return
    this.#over = true
    const { backend, serverName } = this.#config
    const { mirrors, peer } = this.#exchange
    const [method, authority, target] = [this.#method, this.#authority, this.#target]
    const fields = this.#fields
    const body = this.#body.toString()
    this.#body = new GatheredText()
    mirrors.send(peer, { backend, serverName, authority, method, target, fields, body })
  }

  giveUp(fate: 'too-large' | 'cut'): void {
    if (this.#over) return
    this.#over = true
    this.#exchange.mirrors.drop(this.#body.length, fate)
    this.#body = new GatheredText()
  }

  #add(buffer: Buffer, start: number, end: number): void {
    if (this.#over) return
    const size = end - start
    const fits = this.#body.length + size <= mirroredBytesMax
    if (fits && this.#exchange.mirrors.hold(size)) this.#body.append(buffer.latin1Slice(start, end))
    else this.giveUp('too-large')
  }
}

/** A variable may bring what is no authority. */
function authorityFor({ authority, host }: MirrorConfig, exchange: PolicyExchange): string {
  const asked = renderTemplate(host, exchange)
  return /^[-.:[\]\w]+$/.test(asked) ? asked : authority
}

/** Without a path of its own the mirror gets the request's; without variables, the request's query. */
function targetFor({ target }: MirrorConfig, exchange: PolicyExchange): string {
  const asked = exchange.originalTarget || exchange.request.target
  if (target.length === 0) return asked
  const text = renderTemplate(target, exchange)
  const path = text.startsWith('/') ? text : `/${text}`
  const mark = asked.indexOf('?')
  if (mark < 0 || target.some((part) => 'variable' in part)) return path
  return path + (path.includes('?') ? `&${asked.slice(mark + 1)}` : asked.slice(mark))
}

/** The fields of the request as they are; those of a body only where it goes along. */
function fieldsOf({ fields }: RequestHead, body: boolean): string[] {
  const copied: string[] = []
  fields.forEach((name, value) => {
    if (body || !name.toLowerCase().startsWith('content-')) copied.push(name, value)
  })
  return copied
}
