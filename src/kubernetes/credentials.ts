import type { RequestOptions } from 'node:https'
import { Agent, ProxyAgent, Socks5ProxyAgent } from 'undici'
import type { Dispatcher } from 'undici'
import { errorText } from '#src/observe/log.ts'
import type { LoadedConfig } from './kube-config.ts'

/** How to speak to the API server at the moment. */
export interface Access {
  readonly headers: Readonly<Record<string, string | string[]>>
  readonly dispatcher: Dispatcher
}

/** Tokens and certificates on disk may change; they are looked at again after this long. */
const freshMs = 30_000
/** A refused log-in makes everything be read again, at most so often. */
const renewPauseMs = 1000
/** For a plugin that asks for credentials, e.g. at a cloud. */
const loginTimeoutMs = 60_000
const connectTimeoutMs = 10_000
/** As client-go: shorter than the idle time-outs of load balancers. */
const probeDelayMs = 30_000
const idleMs = 30_000

type TlsOptions = Pick<RequestOptions, 'ca' | 'cert' | 'key' | 'servername' | 'rejectUnauthorized'>

/**
 * Log-in data as they are now: tokens and client certificates are read again as they rotate, exec
 * plugins run again when theirs expire. New certificates mean new connections; old ones run out.
 */
export class Credentials {
  readonly #load: () => Promise<LoadedConfig>
  readonly #now: () => number
  #config: LoadedConfig
  #dispatcher: Dispatcher | undefined
  #material = ''
  #access: Promise<Access> | undefined
  #accessAt = 0
  #renewing: Promise<void> | undefined
  #renewedAt = Number.NEGATIVE_INFINITY

  /** `load` reads the configuration again; `now` is a monotonic clock in milliseconds. */
  constructor(config: LoadedConfig, load: () => Promise<LoadedConfig>, now: () => number) {
    this.#config = config
    this.#load = load
    this.#now = now
  }

  /** Rejects when there are none, e.g. because a token file is gone. */
  async current(): Promise<Access> {
    if (this.#access === undefined || this.#now() - this.#accessAt > freshMs) {
      this.#accessAt = this.#now()
      this.#access = this.#read()
      // Another try comes at once: nothing is gained by remembering a failure.
      this.#access.catch(() => (this.#access = undefined))
    }
    return await this.#access
  }

  /** The server refused them: reads everything again. False: that was done just now. */
  async renew(): Promise<boolean> {
    if (this.#renewing === undefined) {
      if (this.#now() - this.#renewedAt < renewPauseMs) return false
      this.#renewedAt = this.#now()
      this.#renewing = this.#reload().finally(() => (this.#renewing = undefined))
    }
    await this.#renewing
    return true
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    await this.#dispatcher?.destroy()
    this.#dispatcher = undefined
  }

  async #reload(): Promise<void> {
    const config = await this.#load()
    // A client is for one cluster; another needs a new start.
    if (config.server === this.#config.server) this.#config = config
    this.#access = undefined
  }

  async #read(): Promise<Access> {
    const { login, groups, plugin } = this.#config
    const options: RequestOptions = {}
    await withDeadline(login(options), loginTimeoutMs)
    const headers = { ...(options.headers as Record<string, string | string[]> | undefined) }
    if (plugin !== undefined) {
      const issued = await plugin.login(this.#now())
      if (issued.token !== '') headers['Authorization'] = `Bearer ${issued.token}`
      if (issued.certificate !== '')
        Object.assign(options, { cert: issued.certificate, key: issued.key })
    }
    const { auth } = options
    if (typeof auth === 'string') {
      headers['Authorization'] = `Basic ${Buffer.from(auth).toString('base64')}`
    }
    if (typeof headers['Authorization'] === 'string') {
      headers['Authorization'] = headers['Authorization'].trim()
    }
    if (groups.length > 0) headers['Impersonate-Group'] = [...groups]
    const { ca, cert, key, servername, rejectUnauthorized } = options
    const tls = withoutUndefined({ ca, cert, key, servername, rejectUnauthorized })
    return { headers, dispatcher: this.#dispatcherFor(tls) }
  }

  #dispatcherFor(tls: TlsOptions): Dispatcher {
    const material = JSON.stringify([tls, this.#config.proxyUrl], (_name, value: unknown) =>
      Buffer.isBuffer(value) ? value.toString('latin1') : value,
    )
    if (this.#dispatcher !== undefined && material === this.#material) return this.#dispatcher
    // What is under way on the old connections may end there.
    void this.#dispatcher?.close()
    this.#material = material
    this.#dispatcher = createDispatcher(tls, this.#config.proxyUrl)
    return this.#dispatcher
  }
}

function createDispatcher(tls: TlsOptions, proxyUrl: string): Dispatcher {
  const connect = {
    timeout: connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelay: probeDelayMs,
  }
  // HTTP/1.1: each watch has a connection of its own, so that one that stalls stalls alone.
  const options = { allowH2: false, keepAliveTimeout: idleMs, keepAliveMaxTimeout: idleMs }
  if (proxyUrl.startsWith('socks')) {
    return new Socks5ProxyAgent(proxyUrl, { ...options, connect, requestTls: tls } as object)
  }
  if (proxyUrl !== '') {
    return new ProxyAgent({ ...options, uri: proxyUrl, requestTls: tls as object, connect })
  }
  return new Agent({ ...options, connect: { ...connect, ...(tls as object) } })
}

function withoutUndefined(options: Record<string, unknown>): TlsOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

async function withDeadline(work: Promise<void>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no credentials within ${timeoutMs / 1000} s`))
    }, timeoutMs)
  })
  try {
    await Promise.race([work, deadline])
  } catch (error) {
    throw new Error(errorText(error).slice(0, 500), { cause: error })
  } finally {
    clearTimeout(timer)
  }
}
