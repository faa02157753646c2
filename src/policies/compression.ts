import { size } from '#src/annotations/quantities.ts'
import { bool, integer, oneOf } from '#src/annotations/types.ts'
import type { ValueType } from '#src/annotations/types.ts'
import type { ResponseHead } from '#src/exchange/heads.ts'
import { acceptsCoding } from './accepted-coding.ts'
import { Compressor, mayCompress } from './compressor.ts'
import type { Coding } from './compressor.ts'
import { policy } from './policy-definition.ts'
import type { RouteContext } from './policy-definition.ts'
import { CONTINUE } from './policy.ts'
import type { PolicyExchange } from './policy.ts'
import type { CodingEdit } from './snippets/program.ts'

/** One coding, and which answers get it. */
export interface CodingConfig {
  readonly coding: Coding
  readonly level: number
  /** Bodies that are known to be shorter stay as they are. */
  readonly bytesMin: number
  /** Media types in lower case; `*` stands for all. text/html is always among them. */
  readonly types: readonly string[]
}

/** Codings that answers of a rule may get, the better one first. */
export interface CompressionConfig {
  readonly codings: readonly CodingConfig[]
}

/** Media types with white space between them. */
const mediaTypes: ValueType<readonly string[]> = {
  expects: 'media types with spaces between them, or *',
  schema: { pattern: '^[\\w!#$&^.+*/ \\t-]+$' },
  parse(text) {
    const types = text.split(/[\s,]+/).filter((type) => type !== '')
    const valid = types.every((type) => type === '*' || /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/.test(type))
    return valid ? types.map((type) => type.toLowerCase()) : undefined
  },
  format: (types) => types.join(' '),
}

const usualTypes =
  `application/atom+xml application/javascript application/x-javascript application/json application/rss+xml
  application/vnd.ms-fontobject application/x-font-ttf application/x-web-app-manifest+json application/xhtml+xml
  application/xml font/opentype image/svg+xml image/x-icon text/css text/javascript text/plain text/x-component`.split(
    /\s+/,
  )

const compressing = new WeakMap<PolicyExchange, Compressor>()

/** Compresses answers, as nginx does with gzip_proxied any and gzip_vary on. */
export const compression = policy({
  everywhere: true,
  annotations: {
    compression: {
      type: oneOf(['default', 'on', 'off']),
      default: 'default',
      doc: 'Whether answers are compressed: on with brotli and gzip, off not at all, default as use-gzip and enable-brotli say.',
      example: 'on',
      risk: 'low',
      scope: 'path',
      compatibility: 'own',
    },
  },
  options: {
    'use-gzip': {
      type: bool,
      default: false,
      doc: 'Compresses answers with gzip for clients that accept it, also by a *, which nginx does not heed.',
      example: 'true',
      compatibility: 'same',
    },
    'gzip-level': {
      type: integer(1, 9),
      default: 1,
      doc: 'From fast to small.',
      example: '5',
      compatibility: 'same',
    },
    'gzip-min-length': {
      type: size,
      default: 256,
      doc: 'Bodies that are known to be shorter are not compressed with gzip.',
      example: '1k',
      compatibility: 'same',
    },
    'gzip-types': {
      type: mediaTypes,
      default: usualTypes,
      doc: 'Media types that are compressed with gzip, beside text/html.',
      example: 'application/json text/css',
      compatibility: 'same',
    },
    'enable-brotli': {
      type: bool,
      default: false,
      doc: 'Compresses answers with brotli for clients that accept it, rather than with gzip.',
      example: 'true',
      compatibility: 'same',
    },
    'brotli-level': {
      type: integer(0, 11),
      default: 4,
      doc: 'From fast to small. Above 6 a body costs many times what it costs at 4.',
      example: '6',
      compatibility: 'same',
    },
    'brotli-min-length': {
      type: size,
      default: 20,
      doc: 'Bodies that are known to be shorter are not compressed with brotli.',
      example: '1k',
      compatibility: 'same',
    },
    'brotli-types': {
      type: mediaTypes,
      default: ['application/xml+rss', ...usualTypes],
      doc: 'Media types that are compressed with brotli, beside text/html.',
      example: 'application/json text/css',
      compatibility: 'same',
    },
  },

  configure({ compression: wanted }, context): CompressionConfig | undefined {
    const { options } = context
    const all: readonly (CodingConfig & { readonly on: boolean })[] = [
      {
        coding: 'br',
        on: wanted === 'on' || (wanted === 'default' && options['enable-brotli']),
        level: options['brotli-level'],
        bytesMin: options['brotli-min-length'],
        types: options['brotli-types'],
        ...editOf(context, 'br'),
      },
      {
        coding: 'gzip',
        on: wanted === 'on' || (wanted === 'default' && options['use-gzip']),
        level: options['gzip-level'],
        bytesMin: options['gzip-min-length'],
        types: options['gzip-types'],
        ...editOf(context, 'gzip'),
      },
    ]
    const codings = all.flatMap(({ on, ...row }) => (on ? [row] : []))
    return codings.length === 0 ? undefined : { codings }
  },

  start({ codings }) {
    const rows = codings.map((row) => ({ ...row, types: new Set(['text/html', ...row.types]) }))
    return {
      responseHead(exchange) {
        const { request, response } = exchange
        if (response === undefined || !isCompressible(response, exchange)) return CONTINUE
        const type = mediaTypeOf(response)
        const accepted = request.fields.getSentJoined('accept-encoding')
        let varies = false
        for (const { coding, level, bytesMin, types } of rows) {
          if (!types.has(type) && !types.has('*')) continue
          if (response.contentLength >= 0 && response.contentLength < bytesMin) continue
          varies = true
          if (!acceptsCoding(accepted, coding)) continue
          if (isCompressing(exchange, coding, level)) encodeHead(response, coding)
          break
        }
        if (varies) addVary(response)
        return CONTINUE
      },
      filterResponseBody: (exchange) => compressing.get(exchange),
      end(exchange) {
        compressing.get(exchange)?.close()
      },
    }
  },
})

/** Whether the answer is to be compressed now. That to HEAD has the head of the one to GET. */
function isCompressing(exchange: PolicyExchange, coding: Coding, level: number): boolean {
  if (exchange.request.method === 'HEAD') return true
  if (mayCompress()) {
    compressing.set(exchange, new Compressor(coding, level))
    return true
  }
  exchange.noteUncompressed()
  return false
}

/** What snippets say of a coding: that of the location goes before that of the server. */
function editOf(
  { serverSnippet, snippet }: Pick<RouteContext<object>, 'serverSnippet' | 'snippet'>,
  coding: Coding,
): CodingEdit {
  return { ...serverSnippet?.[coding], ...snippet?.[coding] }
}

/** The statuses that nginx compresses. */
const statuses: ReadonlySet<number> = new Set([200, 403, 404])

function isCompressible(
  { status, fields }: ResponseHead,
  { request, responseEmpty }: PolicyExchange,
): boolean {
  if (!statuses.has(status) || request.version < 11) return false
  if (responseEmpty && request.method !== 'HEAD') return false
  if (bodyBound.some((name) => fields.get(name) !== undefined)) return false
  return fields.getJoined('cache-control')?.toLowerCase().includes('no-transform') !== true
}

/** Fields that hold for the body as it is: it is coded already, or its digest is told (RFC 9530). */
const bodyBound = ['content-encoding', 'content-digest', 'repr-digest', 'digest', 'content-md5']

function mediaTypeOf({ fields }: ResponseHead): string {
  const text = fields.get('content-type') ?? ''
  const semicolon = text.indexOf(';')
  return (semicolon < 0 ? text : text.slice(0, semicolon)).trim().toLowerCase()
}

/** What the head said of the body holds no longer. An entity tag is that of other bytes now. */
function encodeHead(response: ResponseHead, coding: Coding): void {
  const { fields } = response
  response.contentLength = -1
  fields.append('Content-Encoding', coding)
  fields.remove('accept-ranges')
  const tag = fields.get('etag')
  if (tag === undefined || tag.startsWith('W/')) return
  if (tag.startsWith('"')) fields.set('ETag', `W/${tag}`)
  else fields.remove('etag')
}

const knowsEncoding = /(?:^|,)\s*(?:accept-encoding|\*)\s*(?:,|$)/i

/** Caches must know, of answers that were left as they are, too. */
function addVary({ fields }: ResponseHead): void {
  const varies = fields.getJoined('vary') ?? ''
  if (!knowsEncoding.test(varies)) fields.append('Vary', 'Accept-Encoding')
}
