import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo, Server, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { createApiClient } from '#src/kubernetes/api-client.ts'
import type { ApiClient } from '#src/kubernetes/api-client.ts'
import { ApiError } from '#src/kubernetes/api-error.ts'
import { createSelfSignedCertificate } from '#src/transport/self-signed.ts'

const year = 365 * 24 * 3_600_000
const certificate = async (names: readonly string[]) =>
  await createSelfSignedCertificate({
    commonName: names[0] ?? 'client',
    names,
    notBefore: new Date(Date.now() - year),
    notAfter: new Date(Date.now() + year),
  })
export const serverPair = await certificate(['localhost'])
export const clientPair = await certificate([])
export const nextPair = await certificate([])
export const base64 = (text: string): string => Buffer.from(text).toString('base64')

export async function listen(t: TestContext, server: Server): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

export async function startServer(t: TestContext, listener: RequestListener): Promise<number> {
  const options = { requestCert: true, rejectUnauthorized: false }
  const { certificatePem: cert, keyPem: key } = serverPair
  return await listen(t, createServer({ ...options, cert, key }, listener))
}

export interface Setting {
  readonly port: number
  readonly user?: Record<string, unknown>
  readonly cluster?: Record<string, unknown>
}

export function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-api-'))
  t.after(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  return folder
}

export function writeConfig(folder: string, { port, user = {}, cluster = {} }: Setting): string {
  const file = join(folder, 'config')
  const authority = base64(serverPair.certificatePem)
  const server = `https://localhost:${port}`
  const body = { server, 'certificate-authority-data': authority, ...cluster }
  const config = {
    'current-context': 'x',
    contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
    clusters: [{ name: 'x', cluster: body }],
    users: [{ name: 'x', user }],
  }
  writeFileSync(file, JSON.stringify(config))
  return file
}

export async function clientOf(
  t: TestContext,
  file: string,
  now?: () => number,
): Promise<ApiClient> {
  const client = await createApiClient({
    cluster: { files: [file], context: '' },
    userAgent: 'headgate/test',
    ...(now === undefined ? {} : { now }),
  })
  t.after(async () => {
    await client.close()
  })
  return client
}

export async function connected(
  t: TestContext,
  listener: RequestListener,
  user: Record<string, unknown> = {},
): Promise<ApiClient> {
  const port = await startServer(t, listener)
  return await clientOf(t, writeConfig(folderOf(t), { port, user }))
}

export function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}

export async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const piece of request) text += String(piece)
  return text
}

export const failureOf = async (work: Promise<unknown>): Promise<ApiError> => {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof ApiError, `no ApiError: ${String(error)}`)
  return error
}
