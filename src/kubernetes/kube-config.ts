import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto'
import { access, readFile } from 'node:fs/promises'
import { delimiter, dirname, resolve } from 'node:path'
import type { KubeConfig } from '@kubernetes/client-node'
import { errorText } from '#src/observe/log.ts'
import { KubeConfigError, problem, readKubeFiles } from './kube-file.ts'
import type { Entry, KubeFiles } from './kube-file.ts'

/** Which cluster is meant. Plain data. */
export interface ClusterChoice {
  /** Kubeconfig files; empty: the cluster that this process runs in. */
  readonly files: readonly string[]
  /** Context in them, '' for the current one. */
  readonly context: string
}

/** A cluster and how to log in to it. */
export interface LoadedConfig {
  /** URL of the API server, without a slash at the end. */
  readonly server: string
  /** Namespace of the context. */
  readonly namespace: string
  readonly kubeConfig: KubeConfig
  /** Groups to impersonate, which KubeConfig does not know. */
  readonly groups: readonly string[]
  readonly proxyUrl: string
}

const serviceAccount = '/var/run/secrets/kubernetes.io/serviceaccount'

/**
 * The cluster by flags and environment: --kubeconfig, else the cluster around this process, else
 * KUBECONFIG. Undefined: nothing names one.
 */
export async function chooseCluster(
  flags: { readonly kubeconfig: string | undefined; readonly context: string | undefined },
  environment: Readonly<Record<string, string | undefined>>,
): Promise<ClusterChoice | undefined> {
  const context = flags.context ?? ''
  if (flags.kubeconfig !== undefined) return { files: [resolve(flags.kubeconfig)], context }
  if (context === '' && (await isInCluster(environment))) return { files: [], context }
  const files = (environment['KUBECONFIG'] ?? '').split(delimiter).filter(Boolean)
  if (files.length > 0) return { files: files.map((file) => resolve(file)), context }
  if (context === '') return undefined
  throw new KubeConfigError(`--context ${context} needs --kubeconfig or KUBECONFIG`)
}

async function isInCluster(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<boolean> {
  if ((environment['KUBERNETES_SERVICE_HOST'] ?? '') === '') return false
  return await access(`${serviceAccount}/token`).then(
    () => true,
    () => false,
  )
}

/** Reads and checks everything that the choice leads to. Throws a KubeConfigError. */
export async function checkConfig(choice: ClusterChoice): Promise<void> {
  if (choice.files.length > 0) await readChosen(choice)
}

/** The same, and makes of it what is needed to log in. */
export async function loadConfig(choice: ClusterChoice): Promise<LoadedConfig> {
  // Large: it is loaded where somebody logs in, and only there.
  const { KubeConfig: Config } = await import('@kubernetes/client-node')
  const kubeConfig = new Config()
  if (choice.files.length > 0) return assemble(await readChosen(choice), kubeConfig)
  kubeConfig.loadFromCluster()
  const namespace = kubeConfig.getContextObject(kubeConfig.getCurrentContext())?.namespace ?? ''
  return {
    server: kubeConfig.getCurrentCluster()?.server ?? '',
    namespace: namespace.trim() || 'default',
    kubeConfig,
    groups: [],
    proxyUrl: '',
  }
}

async function readChosen({ files, context }: ClusterChoice): Promise<Chosen> {
  const read = await readKubeFiles(files)
  const name = context || read.currentContext
  if (name === '') {
    throw problem(read.shown, `has no current-context; give --context${nearby(read.contexts)}`)
  }
  const chosen = entryOf(read, 'contexts', name, `context ${quoted(name)}`)
  const where = `context ${quoted(name)}`
  const clusterName = textOf(chosen, 'cluster', where)
  if (clusterName === '') throw problem(chosen.file, `${where}: cluster is missing`)
  const cluster = entryOf(read, 'clusters', clusterName, `${where}: cluster ${quoted(clusterName)}`)
  const userName = textOf(chosen, 'user', where)
  const user =
    userName === ''
      ? { file: chosen.file, body: {} }
      : entryOf(read, 'users', userName, `${where}: user ${quoted(userName)}`)
  await checkCluster(cluster, `cluster ${quoted(clusterName)}`)
  await checkUser(user, `user ${quoted(userName)}`)
  return { cluster, user, namespace: textOf(chosen, 'namespace', where) }
}

interface Chosen {
  readonly cluster: Entry
  readonly user: Entry
  readonly namespace: string
}

function assemble({ cluster, user, namespace }: Chosen, kubeConfig: KubeConfig): LoadedConfig {
  const server = (cluster.body['server'] as string).replace(/\/+$/, '')
  const clusterBody = {
    ...cluster.body,
    server,
    // KubeConfig refuses plain HTTP otherwise, as behind `kubectl proxy`: there is nothing to verify.
    ...(server.startsWith('http:') ? { 'insecure-skip-tls-verify': true } : {}),
  }
  const config = {
    'current-context': 'chosen',
    clusters: [{ name: 'chosen', cluster: clusterBody }],
    users: [{ name: 'chosen', user: userFor(user) }],
    contexts: [{ name: 'chosen', context: { cluster: 'chosen', user: 'chosen' } }],
  }
  // JSON is YAML, and the only form in which KubeConfig takes all fields.
  kubeConfig.loadFromString(JSON.stringify(config))
  const groups = user.body['as-groups']
  return {
    server,
    namespace: namespace || 'default',
    kubeConfig,
    groups: Array.isArray(groups) ? groups.map(String) : [],
    proxyUrl: (cluster.body['proxy-url'] as string | undefined) ?? '',
  }
}

/** The user with what KubeConfig does not do by itself. */
function userFor({ file, body }: Entry): Record<string, unknown> {
  const { tokenFile, exec, token, ...rest } = body
  const made: Record<string, unknown> = rest
  if (isRecord(exec)) made['exec'] = withExecInfo(exec, file)
  if (typeof tokenFile === 'string' && tokenFile !== '') {
    made['auth-provider'] = { name: 'tokenFile', config: { tokenFile } }
  } else if (token !== undefined) made['token'] = token
  return made
}

/** Plugins are told how they are called (client.authentication.k8s.io), and found as kubectl finds them. */
function withExecInfo(exec: Record<string, unknown>, file: string): Record<string, unknown> {
  const info = {
    apiVersion: exec['apiVersion'],
    kind: 'ExecCredential',
    spec: { interactive: false },
  }
  const given = Array.isArray(exec['env']) ? (exec['env'] as unknown[]) : []
  const command = exec['command'] as string
  return {
    ...exec,
    command: command.includes('/') ? resolve(dirname(file), command) : command,
    env: [{ name: 'KUBERNETES_EXEC_INFO', value: JSON.stringify(info) }, ...given],
  }
}

async function checkCluster(cluster: Entry, where: string): Promise<void> {
  const server = textOf(cluster, 'server', where)
  if (server === '') throw problem(cluster.file, `${where}: server is missing`)
  if (!/^https?:\/\/[^/]/.test(server) || !URL.canParse(server)) {
    throw problem(cluster.file, `${where}: server must be an http or https URL`)
  }
  const proxy = textOf(cluster, 'proxy-url', where)
  if (proxy !== '' && !(/^(?:https?|socks5h?):\/\/[^/]/.test(proxy) && URL.canParse(proxy))) {
    throw problem(cluster.file, `${where}: proxy-url must be an http, https or socks5 URL`)
  }
  textOf(cluster, 'tls-server-name', where)
  const authority = await pemOf(cluster, 'certificate-authority', where)
  if (authority !== '') {
    tryPem(cluster, `${where}: certificate-authority`, () => new X509Certificate(authority))
  }
}

async function checkUser(user: Entry, where: string): Promise<void> {
  const { exec } = user.body
  for (const field of ['token', 'username', 'password', 'as']) textOf(user, field, where)
  if (exec !== undefined && exec !== null) {
    const command = isRecord(exec) ? exec['command'] : undefined
    if (typeof command !== 'string' || command === '') {
      throw problem(user.file, `${where}: exec.command is missing`)
    }
  }
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

function textOf({ file, body }: Entry, field: string, where: string): string {
  const value = body[field] ?? ''
  if (typeof value === 'string') return value
  throw problem(file, `${where}: ${field} must be a text`)
}

function entryOf(
  read: KubeFiles,
  section: 'clusters' | 'users' | 'contexts',
  name: string,
  where: string,
): Entry {
  const entry = read[section].get(name)
  if (entry !== undefined) return entry
  throw problem(read.shown, `${where} does not exist${nearby(read[section])}`)
}

/** The names that there are, as far as they fit on a line. */
function nearby(entries: ReadonlyMap<string, Entry>): string {
  const names = [...entries.keys()].slice(0, 5)
  const more = entries.size > names.length ? ', …' : ''
  return names.length === 0 ? '' : `; there are ${names.map(quoted).join(', ')}${more}`
}

function quoted(text: string): string {
  return JSON.stringify(text)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
