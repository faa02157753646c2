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
import { renderTemplate } from './template.ts'

/** Who gets a copy of each request. */
export interface MirrorConfig extends ServiceUrl {
  readonly body: boolean
}

/** A body is copied up to this size; a request with a longer one is not mirrored. */
export const mirroredBytesMax = 1024 * 1024

const authority: ValueType<string> = {
  expects: 'a host such as test.example.com, with a port if need be',
  schema: { pattern: '^[-.:\\[\\]0-9A-Za-z]+$' },
  parse(text) {
    const [, host = ''] = /^([-.\w]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i.exec(text) ?? []
    const named = isHostPattern(host.toLowerCase()) || URL.canParse(`http://${host}/`)
    return host !== '' && !host.includes('*') && named ? text : undefined
  },
  format: (text) => text,
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
      doc: 'A URL that gets a copy of each request. What becomes of the copy never shows: it is sent once the body is whole, and not at all if the body is longer than 1 MiB or the worker has too many copies under way. Of variables, only $host may stand in the host.',
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
      type: authority,
      default: '',
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
    const host = values['mirror-host'] || service.authority.replace(/:\d+$/, '')
    return { ...service, authority: host, body: values['mirror-request-body'] === 'on' }
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
  readonly #target: string
  readonly #fields: readonly string[]
  #body = new GatheredText()
  #over = false

  constructor(config: MirrorConfig, exchange: PolicyExchange) {
    this.#config = config
    this.#exchange = exchange
    this.#method = exchange.request.method
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
    const { backend, serverName, authority: host } = this.#config
    const { mirrors, peer } = this.#exchange
    const [method, target, fields] = [this.#method, this.#target, this.#fields]
    const body = this.#body.toString()
    this.#body = new GatheredText()
    mirrors.send(peer, { backend, serverName, authority: host, method, target, fields, body })
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
