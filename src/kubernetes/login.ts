import { readFile } from 'node:fs/promises'
import type { RequestOptions } from 'node:https'

/** Puts into the options of a request what logs it in: TLS and header fields, as they are now. */
export type Login = (options: RequestOptions) => Promise<void>

/** `cluster` or `user` of a kubeconfig; paths are absolute. */
type Body = Readonly<Record<string, unknown>>

/** Whether the user logs in with what stands in the kubeconfig and in files, apart from a plugin; not with a service. */
export function isPlain(user: Body): boolean {
  return (user['auth-provider'] ?? undefined) === undefined
}

/**
 * Logs in with certificates, a token, a file with one, or a password, read anew for each call. What
 * needs more than that is KubeConfig's, which takes a quarter of a second to load.
 */
export function plainLogin(cluster: Body, user: Body): Login {
  return async (options) => {
    if (cluster['insecure-skip-tls-verify'] === true) options.rejectUnauthorized = false
    const serverName = textOf(cluster, 'tls-server-name')
    if (serverName !== '') options.servername = serverName
    const [ca, cert, key] = await Promise.all([
      pemOf(cluster, 'certificate-authority'),
      pemOf(user, 'client-certificate'),
      pemOf(user, 'client-key'),
    ])
    Object.assign(options, ca && { ca }, cert && { cert }, key && { key })
    const name = textOf(user, 'username')
    if (name !== '') options.auth = `${name}:${textOf(user, 'password')}`
    const as = textOf(user, 'as')
    const token = await tokenOf(user)
    options.headers = {
      ...(as !== '' && { 'Impersonate-User': as }),
      ...(token !== '' && { Authorization: `Bearer ${token}` }),
    }
  }
}

/** A file counts more than what stands beside it, as in client-go. */
async function tokenOf(user: Body): Promise<string> {
  const file = textOf(user, 'tokenFile')
  return file === '' ? textOf(user, 'token') : (await readFile(file, 'utf8')).trim()
}

async function pemOf(body: Body, field: string): Promise<Buffer | undefined> {
  const file = textOf(body, field)
  if (file !== '') return await readFile(file)
  const data = textOf(body, `${field}-data`)
  return data === '' ? undefined : Buffer.from(data, 'base64')
}

function textOf(body: Body, field: string): string {
  const value = body[field]
  return typeof value === 'string' ? value : ''
}
