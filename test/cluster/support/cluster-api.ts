import { readFileSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'undici'
import { parse, parseAllDocuments, stringify } from 'yaml'

/** A Kubernetes object as the tests write it. */
export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly [field: string]: unknown
  }
  readonly [field: string]: unknown
}

/** What an API server answered. */
export interface ApiAnswer {
  readonly status: number
  /** The JSON of the answer, or its text. */
  readonly body: unknown
}

interface Resource {
  readonly name: string
  readonly kind: string
  readonly namespaced: boolean
}

interface Access {
  readonly url: string
  readonly ca: Buffer
  readonly cert?: Buffer
  readonly key?: Buffer
  readonly token?: string
}

/** Who makes a change, for server-side apply. */
const fieldManager = 'headgate-test'

/** A plain client of an API server, for tests: one call, one request; what fails throws. */
export class ClusterApi {
  readonly #access: Access
  readonly #agent: Agent
  readonly #resources = new Map<string, Promise<readonly Resource[]>>()

  constructor(access: Access) {
    this.#access = access
    const { ca, cert, key } = access
    this.#agent = new Agent({
      connect: { ca, ...(cert === undefined || key === undefined ? {} : { cert, key }) },
    })
  }

  static ofKubeconfig(file: string): ClusterApi {
    return new ClusterApi(readAccess(file))
  }

  /** The same server with a bearer token in place of the administrator's certificate. */
  withToken(token: string): ClusterApi {
    const { url, ca } = this.#access
    return new ClusterApi({ url, ca, token })
  }

  /** Any request; answers of every status come back. */
  async ask(method: string, path: string, body?: object, type = 'json'): Promise<ApiAnswer> {
    const { url, token } = this.#access
    const answer = await request(url + path, {
      method: method as 'GET',
      dispatcher: this.#agent,
      headers: {
        accept: 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': `application/${type}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.body.text()
    const json = String(answer.headers['content-type']).startsWith('application/json')
    return { status: answer.statusCode, body: json ? JSON.parse(text) : text }
  }

  async get<Shape = Manifest>(path: string): Promise<Shape> {
    return expectSuccess('GET', path, await this.ask('GET', path)) as Shape
  }

  /** Server-side apply of objects or of YAML text; gives the objects as the server has them. */
  async apply(input: string | readonly Manifest[], query = ''): Promise<Manifest[]> {
    const applied: Manifest[] = []
    for (const object of typeof input === 'string' ? manifestsOf(input) : input) {
      const path = await this.pathOf(object)
      const full = `${path}?fieldManager=${fieldManager}&force=true${query}`
      const answer = await this.ask('PATCH', full, object, 'apply-patch+yaml')
      applied.push(expectSuccess('PATCH', path, answer) as Manifest)
    }
    return applied
  }

  /** Merges into an object's status, as a kubelet or a controller would. */
  async patchStatus(object: Manifest, status: object): Promise<void> {
    const path = `${await this.pathOf(object)}/status`
    expectSuccess('PATCH', path, await this.ask('PATCH', path, { status }, 'merge-patch+json'))
  }

  async delete(object: Manifest): Promise<void> {
    const path = await this.pathOf(object)
    expectSuccess('DELETE', path, await this.ask('DELETE', path))
  }

  async createNamespace(name: string): Promise<void> {
    await this.apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }])
  }

  /** A token of a service account, as a Pod of it would have. */
  async createToken(namespace: string, serviceAccount: string): Promise<string> {
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${serviceAccount}/token`
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} }
    const answer = expectSuccess('POST', path, await this.ask('POST', path, body)) as {
      readonly status: { readonly token: string }
    }
    return answer.status.token
  }

  /** Writes a kubeconfig with the rights of this client's token. */
  writeKubeconfig(file: string): void {
    const { url, ca, token } = this.#access
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        {
          name: 'test',
          cluster: { server: url, 'certificate-authority-data': ca.toString('base64') },
        },
      ],
      users: [{ name: 'test', user: { token } }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
      'current-context': 'test',
    }
    writeFileSync(file, stringify(config), { mode: 0o600 })
  }

  /** The path of an object, by what the server says of its kind. */
  async pathOf({ apiVersion, kind, metadata }: Manifest): Promise<string> {
    const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
    let known = this.#resources.get(group)
    if (known === undefined) {
      known = this.get<{ resources: readonly Resource[] }>(group).then(({ resources }) => resources)
      this.#resources.set(group, known)
    }
    const resource = (await known).find((one) => one.kind === kind && !one.name.includes('/'))
    if (resource === undefined) throw new Error(`${group} has no ${kind}`)
    const scope = resource.namespaced ? `/namespaces/${metadata.namespace ?? 'default'}` : ''
    return `${group}${scope}/${resource.name}/${metadata.name}`
  }

  async close(): Promise<void> {
    await this.#agent.destroy()
  }
}

/** Every object of a YAML text. */
export function manifestsOf(text: string): Manifest[] {
  const values = parseAllDocuments(text).map((document) => document.toJS() as Manifest | null)
  return values.filter((value) => value !== null)
}

function expectSuccess(method: string, path: string, { status, body }: ApiAnswer): unknown {
  if (status < 300) return body
  const text = (body as { message?: string }).message ?? String(body)
  throw new Error(`${method} ${path} answered ${status}: ${text}`)
}

function readAccess(file: string): Access {
  const config = parse(readFileSync(file, 'utf8')) as {
    readonly clusters: readonly [{ readonly cluster: Readonly<Record<string, string>> }]
    readonly users: readonly [{ readonly user: Readonly<Record<string, string>> }]
  }
  const [{ cluster }] = config.clusters
  const [{ user }] = config.users
  return {
    url: cluster['server'] ?? '',
    ca: decode(cluster['certificate-authority-data']),
    cert: decode(user['client-certificate-data']),
    key: decode(user['client-key-data']),
  }
}

function decode(text = ''): Buffer {
  return Buffer.from(text, 'base64')
}
