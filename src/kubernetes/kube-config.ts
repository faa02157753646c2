import { access, readFile } from 'node:fs/promises'
import { isIPv6 } from 'node:net'
import { delimiter, dirname, resolve } from 'node:path'
import { execVersions, ExecPlugin } from './exec-plugin.ts'
import { checkCluster, checkUser, isProxyUrl, textOf } from './kube-check.ts'
import { isRecord, KubeConfigError, problem, readKubeFiles } from './kube-file.ts'
import type { Entry, KubeFiles } from './kube-file.ts'
import { isPlain, plainLogin } from './login.ts'
import type { Login } from './login.ts'
import { proxyFromEnvironment, proxyVariables } from './proxy-environment.ts'

/** Which cluster is meant. Plain data. */
export interface ClusterChoice {
  /** Kubeconfig files; empty: the cluster that this process runs in. */
  readonly files: readonly string[]
  /** Context in them, '' for the current one. */
  readonly context: string
  /** HTTPS_PROXY, HTTP_PROXY and NO_PROXY, as far as they are set: for clusters without `proxy-url`. */
  readonly proxies?: Readonly<Record<string, string>>
}

/** A cluster and how to log in to it. */
export interface LoadedConfig {
  /** URL of the API server, without a slash at the end. */
  readonly server: string
  /** Namespace of the context. */
  readonly namespace: string
  readonly login: Login
  /** Groups to impersonate. */
  readonly groups: readonly string[]
  /** '': the server is spoken to directly. */
  readonly proxyUrl: string
  /** Logs in besides; KubeConfig knows nothing of it. */
  readonly plugin?: ExecPlugin
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
  const proxies = proxyVariables(environment)
  const common = { context, ...(Object.keys(proxies).length > 0 && { proxies }) }
  if (flags.kubeconfig !== undefined) return { files: [resolve(flags.kubeconfig)], ...common }
  if (context === '' && (await isInCluster(environment))) return { files: [], ...common }
  const files = (environment['KUBECONFIG'] ?? '').split(delimiter).filter(Boolean)
  if (files.length > 0) return { files: files.map((file) => resolve(file)), ...common }
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
  else inClusterServer(process.env)
}

/** The same, and makes of it what is needed to log in. */
export async function loadConfig(choice: ClusterChoice): Promise<LoadedConfig> {
  if (choice.files.length === 0) return await loadFromPod(choice)
  const chosen = await readChosen(choice)
  const { cluster, user, namespace, server, proxyUrl } = chosen
  const clusterBody = {
    ...cluster.body,
    server,
    // KubeConfig refuses plain HTTP otherwise, as behind `kubectl proxy`: there is nothing to verify.
    ...(server.startsWith('http:') ? { 'insecure-skip-tls-verify': true } : {}),
  }
  const { 'as-groups': groups, exec } = user.body
  return {
    server,
    namespace: namespace || 'default',
    login: isPlain(user.body)
      ? plainLogin(clusterBody, user.body)
      : await helpedLogin(clusterBody, user),
    groups: Array.isArray(groups) ? groups.map(String) : [],
    proxyUrl,
    ...(isRecord(exec) && { plugin: pluginOf(exec, chosen) }),
  }
}

/** The cluster around this Pod, as its environment and its service account tell. */
async function loadFromPod(choice: ClusterChoice): Promise<LoadedConfig> {
  const server = inClusterServer(process.env)
  const namespace = await readFile(`${serviceAccount}/namespace`, 'utf8').catch(() => '')
  const cluster = { 'certificate-authority': `${serviceAccount}/ca.crt` }
  return {
    server,
    namespace: namespace.trim() || 'default',
    login: plainLogin(cluster, { tokenFile: `${serviceAccount}/token` }),
    groups: [],
    proxyUrl: proxyFor(server, choice),
  }
}

async function readChosen(choice: ClusterChoice): Promise<Chosen> {
  const { files, context } = choice
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
  const authority = await checkCluster(cluster, `cluster ${quoted(clusterName)}`)
  await checkUser(user, `user ${quoted(userName)}`)
  const server = (cluster.body['server'] as string).replace(/\/+$/, '')
  const proxyUrl = textOf(cluster, 'proxy-url', where) || proxyFor(server, choice)
  const namespace = textOf(chosen, 'namespace', where)
  return { cluster, user, namespace, server, authority, proxyUrl }
}

/** As KubeConfig makes it of the same variables. */
function inClusterServer({
  KUBERNETES_SERVICE_HOST: host = '',
  KUBERNETES_SERVICE_PORT: port = '',
}: Readonly<Record<string, string | undefined>>): string {
  const scheme = ['80', '8080', '8001'].includes(port) ? 'http' : 'https'
  const server = `${scheme}://${isIPv6(host) ? `[${host}]` : host}:${port}`
  if (/^\d+$/.test(port) && URL.canParse(server)) return server
  throw new KubeConfigError(
    `KUBERNETES_SERVICE_HOST ${quoted(host)} and KUBERNETES_SERVICE_PORT ${quoted(port)} must name the API server`,
  )
}

function proxyFor(server: string, { proxies = {} }: ClusterChoice): string {
  const proxy = proxyFromEnvironment(server, proxies)
  if (proxy === '' || isProxyUrl(proxy)) return proxy
  // It may hold a password.
  const name = server.startsWith('https:') ? 'HTTPS_PROXY' : 'HTTP_PROXY'
  throw new KubeConfigError(`${name} must be an http, https or socks5 URL`)
}

interface Chosen {
  readonly cluster: Entry
  readonly user: Entry
  readonly namespace: string
  readonly server: string
  /** PEM; '': that of the system. */
  readonly authority: string
  readonly proxyUrl: string
}

/** The login of a user that needs an identity provider. */
async function helpedLogin(cluster: Entry['body'], user: Entry): Promise<Login> {
  // Large: it is loaded where somebody logs in so, and only there.
  const { KubeConfig } = await import('@kubernetes/client-node')
  const kubeConfig = new KubeConfig()
  const config = {
    'current-context': 'chosen',
    clusters: [{ name: 'chosen', cluster }],
    users: [{ name: 'chosen', user: userFor(user) }],
    contexts: [{ name: 'chosen', context: { cluster: 'chosen', user: 'chosen' } }],
  }
  // JSON is YAML, and the only form in which KubeConfig takes all fields.
  kubeConfig.loadFromString(JSON.stringify(config))
  return async (options) => {
    await kubeConfig.applyToHTTPSOptions(options)
  }
}

/** The user with what KubeConfig does not do by itself. */
function userFor({ body }: Entry): Record<string, unknown> {
  const { tokenFile, exec: _exec, token, ...rest } = body
  const made: Record<string, unknown> = rest
  if (typeof tokenFile === 'string' && tokenFile !== '') {
    made['auth-provider'] = { name: 'tokenFile', config: { tokenFile } }
  } else if (token !== undefined) made['token'] = token
  return made
}

/** Plugins are told how they are called, and of the cluster where they want it, and found as kubectl finds them. */
function pluginOf(
  exec: Readonly<Record<string, unknown>>,
  { user, cluster, server, authority, proxyUrl }: Chosen,
): ExecPlugin {
  const apiVersion = (exec['apiVersion'] as string | undefined) ?? execVersions[0] ?? ''
  const described = {
    server,
    'tls-server-name': cluster.body['tls-server-name'],
    'insecure-skip-tls-verify': cluster.body['insecure-skip-tls-verify'],
    'certificate-authority-data':
      authority === '' ? undefined : Buffer.from(authority, 'latin1').toString('base64'),
    'proxy-url': proxyUrl === '' ? undefined : proxyUrl,
    config: extensionOf(cluster, 'client.authentication.k8s.io/exec'),
  }
  const info = {
    apiVersion,
    kind: 'ExecCredential',
    spec: {
      interactive: false,
      ...(exec['provideClusterInfo'] === true && { cluster: described }),
    },
  }
  const command = exec['command'] as string
  const given = (exec['env'] ?? []) as readonly { readonly name: string; readonly value: string }[]
  return new ExecPlugin({
    command: command.includes('/') ? resolve(dirname(user.file), command) : command,
    args: (exec['args'] ?? []) as readonly string[],
    env: {
      ...Object.fromEntries(given.map(({ name, value }) => [name, value])),
      KUBERNETES_EXEC_INFO: JSON.stringify(info),
    },
    apiVersion,
    installHint: typeof exec['installHint'] === 'string' ? exec['installHint'] : '',
  })
}

function extensionOf({ body }: Entry, name: string): unknown {
  const extensions = Array.isArray(body['extensions']) ? (body['extensions'] as unknown[]) : []
  const found = extensions.find((one) => isRecord(one) && one['name'] === name)
  return isRecord(found) ? found['extension'] : undefined
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
