import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { errorText } from '#src/observe/log.ts'
import { execVersions } from './exec-plugin.ts'
import { isRecord, problem } from './kube-file.ts'
import type { Entry } from './kube-file.ts'

/** Gives the authority as PEM, '' where none is named. Throws a KubeConfigError. */
export async function checkCluster(cluster: Entry, where: string): Promise<string> {
  const server = textOf(cluster, 'server', where)
  if (server === '') throw problem(cluster.file, `${where}: server is missing`)
  if (!/^https?:\/\/[^/]/.test(server) || !URL.canParse(server)) {
    throw problem(cluster.file, `${where}: server must be an http or https URL`)
  }
  const proxy = textOf(cluster, 'proxy-url', where)
  if (proxy !== '' && !isProxyUrl(proxy)) {
    throw problem(cluster.file, `${where}: proxy-url must be an http, https or socks5 URL`)
  }
  textOf(cluster, 'tls-server-name', where)
  const authority = await pemOf(cluster, 'certificate-authority', where)
  if (authority !== '') {
    tryPem(cluster, `${where}: certificate-authority`, () => new X509Certificate(authority))
  }
  return authority
}

function checkExec({ file, body }: Entry, where: string): void {
  const exec = body['exec'] ?? undefined
  if (exec === undefined) return
  const { command, args, env, apiVersion } = isRecord(exec) ? exec : {}
  if (typeof command !== 'string' || command === '') {
    throw problem(file, `${where}: exec.command is missing`)
  }
  if (apiVersion !== undefined && !execVersions.includes(apiVersion as string)) {
    throw problem(file, `${where}: exec.apiVersion must be ${execVersions.join(' or ')}`)
  }
  if (!isListOf(args, isText)) throw problem(file, `${where}: exec.args must be a list of texts`)
  const isVariable = (one: unknown): boolean =>
    isRecord(one) && isText(one['name']) && isText(one['value'])
  if (!isListOf(env, isVariable)) {
    throw problem(file, `${where}: exec.env must be a list of names with values`)
  }
}

function isText(value: unknown): boolean {
  return typeof value === 'string'
}

function isListOf(value: unknown, isOne: (one: unknown) => boolean): boolean {
  return (value ?? undefined) === undefined || (Array.isArray(value) && value.every(isOne))
}

/** Throws a KubeConfigError for what cannot be used to log in. */
export async function checkUser(user: Entry, where: string): Promise<void> {
  for (const field of ['token', 'username', 'password', 'as']) textOf(user, field, where)
  checkExec(user, where)
  const tokenFile = textOf(user, 'tokenFile', where)
  if (tokenFile !== '') await fileOf(user, `${where}: tokenFile`, tokenFile)
  const certificate = await pemOf(user, 'client-certificate', where)
  const key = await pemOf(user, 'client-key', where)
  if ((certificate === '') !== (key === '')) {
    const missing = key === '' ? 'client-key' : 'client-certificate'
    throw problem(user.file, `${where}: ${missing} is missing`)
  }
  if (certificate === '') return
  const leaf = tryPem(user, `${where}: client-certificate`, () => new X509Certificate(certificate))
  const secret = tryPem(user, `${where}: client-key`, () => createPrivateKey(key))
  if (!createPublicKey(secret).equals(leaf.publicKey)) {
    throw problem(user.file, `${where}: client-key does not belong to client-certificate`)
  }
}

/** A PEM text in the field FIELD-data (base64) or in the file that FIELD names; '' for neither. */
async function pemOf(entry: Entry, field: string, where: string): Promise<string> {
  const path = textOf(entry, field, where)
  if (path !== '') return await fileOf(entry, `${where}: ${field}`, path)
  const data = textOf(entry, `${field}-data`, where)
  if (!/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(data)) {
    throw problem(entry.file, `${where}: ${field}-data must be base64`)
  }
  return Buffer.from(data, 'base64').toString('latin1')
}

async function fileOf(entry: Entry, where: string, path: string): Promise<string> {
  return await readFile(path, 'utf8').catch((error: unknown) => {
    throw problem(entry.file, `${where} cannot be read: ${errorText(error)}`)
  })
}

function tryPem<Made>(entry: Entry, where: string, make: () => Made): Made {
  try {
    return make()
  } catch {
    throw problem(entry.file, `${where} is not valid PEM`)
  }
}

/** Throws a KubeConfigError for what is no text; an absent one is empty. */
export function textOf({ file, body }: Entry, field: string, where: string): string {
  const value = body[field] ?? ''
  if (typeof value === 'string') return value
  throw problem(file, `${where}: ${field} must be a text`)
}

/** Whether it is one that we can speak through. */
export function isProxyUrl(text: string): boolean {
  return /^(?:https?|socks5h?):\/\/[^/]/.test(text) && URL.canParse(text)
}
