import { request } from 'node:http'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { connect } from 'node:http2'
import type { IncomingHttpHeaders } from 'node:http2'
import { request as secureRequest } from 'node:https'
import type { RequestOptions } from 'node:https'
import type { TLSSocket } from 'node:tls'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { issued } from './certificates.ts'
import type { ComparedRequest, TlsClient } from './comparison.ts'

/** An answer as the client saw it; status 0: the connection ended without one. */
export interface Got {
  readonly status: number
  /** In lower case; values of fields that came more than once behind one another. */
  readonly fields: Readonly<Record<string, string>>
  readonly body: string
  readonly trailers: Readonly<Record<string, string>>
  readonly elapsedMs: number
  /** Suite and version of TLS. */
  readonly handshake: string
}

export interface ProxyPorts {
  readonly http: number
  readonly https: number
}

/** Sends a request to a proxy. */
export async function ask(
  ports: ProxyPorts,
  host: string,
  id: string,
  compared: ComparedRequest,
): Promise<Got> {
  const { method = 'GET', target = '/', fields = {}, body, tls } = compared
  if (tls?.http2 === true) return await askHttp2(ports.https, host, id, compared)
  const headers = {
    Host: host,
    'X-Case': id,
    ...(compared.upstream !== undefined && { 'X-Wish': JSON.stringify(compared.upstream) }),
    ...(body !== undefined &&
      fields['Transfer-Encoding'] === undefined && { 'Content-Length': String(body.length) }),
    ...fields,
  }
  const options = { host: '127.0.0.1', method, path: target, headers, agent: false as const }
  const asked =
    tls === undefined
      ? request({ ...options, port: ports.http })
      : secureRequest({ ...options, port: ports.https, ...tlsOptions(host, tls) })
  return await answerOf(asked, body)
}

/** The same over HTTP/2. */
// oxlint-disable-next-line max-params -- where, whom, as which case, what
async function askHttp2(
  port: number,
  host: string,
  id: string,
  { method = 'GET', target = '/', fields = {}, body, upstream = {} }: ComparedRequest,
): Promise<Got> {
  const session = connect(`https://127.0.0.1:${port}`, {
    servername: host,
    rejectUnauthorized: false,
  })
  const begun = performance.now()
  const own = { ':method': method, ':path': target, ':authority': host, 'x-case': id }
  const asked = session.request({ ...own, 'x-wish': JSON.stringify(upstream), ...lower(fields) })
  return await new Promise((resolve) => {
    let [status, text] = [0, '']
    let answered: Record<string, string> = {}
    let trailers: Record<string, string> = {}
    asked.on('response', (headers) => {
      status = Number(headers[':status'])
      answered = shownOf(headers)
    })
    asked.on('trailers', (headers) => (trailers = shownOf(headers)))
    asked.setEncoding('latin1').on('data', (chunk: string) => (text += chunk))
    asked.on('error', () => undefined)
    session.on('error', () => undefined)
    asked.on('close', () => {
      session.close()
      const elapsedMs = performance.now() - begun
      resolve({ status, fields: answered, body: text, trailers, elapsedMs, handshake: 'h2' })
    })
    asked.end(body)
  })
}

function lower(fields: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, text]) => [name.toLowerCase(), text]),
  )
}

/** Fields without the pseudo-fields. */
function shownOf(headers: IncomingHttpHeaders): Record<string, string> {
  const shown = Object.entries(headers).filter(([name]) => !name.startsWith(':'))
  return Object.fromEntries(shown.map(([name, text]) => [name, [text].flat().join(' | ')]))
}

function tlsOptions(host: string, { certificate, ciphers, version }: TlsClient): RequestOptions {
  const own = certificate === undefined ? undefined : issued[certificate]
  return {
    servername: host.replace(/:\d+$/, ''),
    rejectUnauthorized: false,
    ...(own !== undefined && { cert: own.certificatePem, key: own.keyPem }),
    ...(ciphers !== undefined && { ciphers }),
    ...(version !== undefined && { minVersion: version, maxVersion: version }),
  }
}

async function answerOf(asked: ClientRequest, body: string | undefined): Promise<Got> {
  const begun = performance.now()
  const elapsed = (): number => performance.now() - begun
  let handshake = ''
  asked.on('socket', (socket) => {
    socket.on('secureConnect', () => {
      const secure = socket as TLSSocket
      handshake = `${secure.getProtocol()} ${secure.getCipher().name}`
    })
  })
  return await new Promise((resolve) => {
    const failed = (): void => {
      const none = { fields: {}, body: '', trailers: {} }
      resolve({ status: 0, ...none, elapsedMs: elapsed(), handshake })
    }
    asked.on('response', (answer: IncomingMessage) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('error', failed)
      answer.on('end', () => {
        resolve({
          status: answer.statusCode ?? 0,
          fields: gathered(answer.rawHeaders),
          body: textOf(Buffer.concat(chunks), answer.headers['content-encoding']),
          trailers: gathered(answer.rawTrailers),
          elapsedMs: elapsed(),
          handshake,
        })
      })
    })
    asked.on('error', failed)
    asked.end(body)
  })
}

/** The body without its coding, where it has that coding; each proxy compresses in its own way. */
function textOf(bytes: Buffer, coding: string | undefined): string {
  try {
    if (coding === 'gzip' && bytes.length > 0) return gunzipSync(bytes).toString('latin1')
    if (coding === 'br' && bytes.length > 0) return brotliDecompressSync(bytes).toString('latin1')
  } catch {
    // It says so only.
  }
  return bytes.toString('latin1')
}

/** Names and values in turn, as an object. */
export function gathered(raw: readonly string[]): Record<string, string> {
  const fields: Record<string, string> = {}
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] ?? '').toLowerCase()
    const value = raw[i + 1] ?? ''
    fields[name] = fields[name] === undefined ? value : `${fields[name]} | ${value}`
  }
  return fields
}
