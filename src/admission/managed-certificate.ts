import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { errorText } from '#src/observe/log.ts'
import type { Logger } from '#src/observe/log.ts'
import type { ApiClient } from '#src/kubernetes/api-client.ts'
import { isConflict, isNotFound } from '#src/kubernetes/api-error.ts'
import { createAuthority, issueCertificate } from '#src/transport/authority.ts'
import type { KeyPair } from '#src/transport/authority.ts'
import { readCertificate } from '#src/transport/certificate.ts'
import { namesOf, patchOf } from './webhook-configuration.ts'
import type { WebhookConfiguration } from './webhook-configuration.ts'
import type { ServingCertificate } from './webhook-server.ts'

export interface ManagedCertificateOptions {
  readonly client: ApiClient
  /** Where authority and certificate are kept, for all replicas. */
  readonly secret: { readonly namespace: string; readonly name: string }
  /** Name of the ValidatingWebhookConfiguration. */
  readonly configuration: string
  /** Only the leader writes. */
  readonly leading: () => boolean
  /** Milliseconds since 1970. */
  readonly wallClock: () => number
  readonly log: Logger
  readonly onCertificate: (certificate: ServingCertificate) => void
}

const dayMs = 24 * 3_600_000
/** Renewed when a third of their time is left. */
const certificateDays = 90
const authorityDays = 5 * 365
/** Clocks of API servers may be late. */
const earlyMs = 3_600_000
const authorityName = 'Headgate webhook authority'
const lookPeriodMs = 60_000
/** While there is no certificate yet. */
const firstPeriodMs = 2000

/** What the Secret holds, PEM. */
interface Kept {
  readonly authority: KeyPair
  readonly serving: KeyPair
  /** Authorities that are trusted: the present one, then the one before. */
  readonly bundle: string
}

/**
 * A certificate of our own making: the leader keeps an authority and a certificate for the names that
 * the webhook is called by in a Secret, renews them in time, and puts the authority into the
 * ValidatingWebhookConfiguration. Every replica serves what the Secret holds.
 */
export class ManagedCertificate {
  readonly #options: ManagedCertificateOptions
  #timer: NodeJS.Timeout | undefined
  #served = ''
  #lastProblem = ''
  #stopped = false

  constructor(options: ManagedCertificateOptions) {
    this.#options = options
  }

  start(): void {
    void this.#turn()
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  /** One look at everything. Rejects when it cannot be done. */
  async look(): Promise<void> {
    const configuration = await this.#configuration()
    const names = namesOf(configuration)
    if (names.length === 0) {
      const name = this.#options.configuration
      throw new Error(`ValidatingWebhookConfiguration ${name} names no service and no url`)
    }
    const secret = await this.#secret()
    const before = secret && keptIn(secret)
    const kept = this.#options.leading() ? await this.#renewed(before, names, secret) : before
    if (kept === undefined) return
    // Trust comes before the certificate that needs it.
    if (this.#options.leading()) await this.#publish(configuration, kept.bundle)
    this.#serve(kept)
  }

  async #turn(): Promise<void> {
    try {
      await this.look()
      this.#lastProblem = ''
    } catch (error) {
      const problem = errorText(error)
      if (problem !== this.#lastProblem) {
        this.#options.log.warn('the certificate of the webhook is not kept up', { problem })
      }
      this.#lastProblem = problem
    }
    if (this.#stopped) return
    const delayMs = this.#served === '' ? firstPeriodMs : lookPeriodMs
    this.#timer = setTimeout(() => {
      void this.#turn()
    }, delayMs)
  }

  #serve({ serving }: Kept): void {
    if (serving.certificatePem === this.#served) return
    this.#options.onCertificate(serving)
    this.#served = serving.certificatePem
  }

  /** What is kept, renewed where that is due. Somebody else's renewal is taken the next time. */
  async #renewed(
    before: Kept | undefined,
    names: readonly string[],
    secret: Secret | undefined,
  ): Promise<Kept | undefined> {
    const nowMs = this.#options.wallClock()
    const authorityIsGood = before && lasts(before.authority, nowMs, (authorityDays * dayMs) / 3)
    const isGood =
      authorityIsGood &&
      covers(before.serving, names) &&
      lasts(before.serving, nowMs, (certificateDays * dayMs) / 3)
    if (isGood === true) return before
    const notBefore = new Date(nowMs - earlyMs)
    const until = (days: number): Date => new Date(nowMs + days * dayMs)
    const authority =
      authorityIsGood === true
        ? before.authority
        : await createAuthority(authorityName, { notBefore, notAfter: until(authorityDays) })
    const notAfter = until(certificateDays)
    const serving = await issueCertificate(authority, names, { notBefore, notAfter })
    // Whoever still shows a certificate of the authority before is trusted as well.
    const old = authorityIsGood === true ? '' : (before?.authority.certificatePem ?? '')
    const kept = {
      authority,
      serving,
      bundle: authorityIsGood === true ? before.bundle : joinPem(authority.certificatePem, old),
    }
    const written = await this.#write(kept, secret)
    if (written)
      this.#options.log.info('the webhook has a new certificate', { names: names.join() })
    return written ? kept : undefined
  }

  async #configuration(): Promise<WebhookConfiguration> {
    const path = this.#configurationPath()
    return (await this.#options.client.request({ method: 'GET', path })) as WebhookConfiguration
  }

  async #publish(configuration: WebhookConfiguration, bundle: string): Promise<void> {
    const body = patchOf(configuration, bundle)
    if (body === undefined) return
    await this.#options.client.request({
      method: 'PATCH',
      path: this.#configurationPath(),
      contentType: 'application/strategic-merge-patch+json',
      body,
    })
    const { configuration: name, log } = this.#options
    log.info('the authority of the webhook is in its configuration', { configuration: name })
  }

  #configurationPath(): string {
    const { configuration } = this.#options
    return `/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/${configuration}`
  }

  async #secret(): Promise<Secret | undefined> {
    const { client, secret } = this.#options
    const path = `/api/v1/namespaces/${secret.namespace}/secrets/${secret.name}`
    try {
      return (await client.request({ method: 'GET', path })) as Secret
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  /** False: another one was faster. */
  async #write({ authority, serving, bundle }: Kept, before: Secret | undefined): Promise<boolean> {
    const { client, secret } = this.#options
    const collection = `/api/v1/namespaces/${secret.namespace}/secrets`
    const body = {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'Opaque',
      ...before,
      metadata: { ...before?.metadata, namespace: secret.namespace, name: secret.name },
      data: {
        ...before?.data,
        'ca.crt': encode(bundle),
        'ca.key': encode(authority.keyPem),
        'tls.crt': encode(serving.certificatePem),
        'tls.key': encode(serving.keyPem),
      },
    }
    try {
      if (before === undefined) await client.request({ method: 'POST', path: collection, body })
      else await client.request({ method: 'PUT', path: `${collection}/${secret.name}`, body })
      return true
    } catch (error) {
      if (isConflict(error)) return false
      throw error
    }
  }
}

interface Secret {
  readonly metadata?: Readonly<Record<string, unknown>>
  readonly data?: Readonly<Record<string, string>>
}

/** Undefined for what was never written, or by somebody who did not know how. */
function keptIn({ data = {} }: Secret): Kept | undefined {
  const text = (key: string): string => Buffer.from(data[key] ?? '', 'base64').toString('utf8')
  const bundle = text('ca.crt')
  const [first = ''] =
    /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/.exec(bundle) ?? []
  const authority = { certificatePem: first, keyPem: text('ca.key') }
  const serving = { certificatePem: text('tls.crt'), keyPem: text('tls.key') }
  const good = [authority, serving].every(
    ({ certificatePem, keyPem }) => readCertificate(certificatePem, keyPem).ok,
  )
  if (!good || !isIssuedBy(serving, authority)) return undefined
  return { authority, serving, bundle }
}

function isIssuedBy(serving: KeyPair, authority: KeyPair): boolean {
  const issuer = new X509Certificate(authority.certificatePem)
  return new X509Certificate(serving.certificatePem).verify(issuer.publicKey)
}

function lasts({ certificatePem }: KeyPair, nowMs: number, ms: number): boolean {
  return new X509Certificate(certificatePem).validToDate.getTime() - nowMs > ms
}

function covers({ certificatePem }: KeyPair, names: readonly string[]): boolean {
  const certificate = new X509Certificate(certificatePem)
  return names.every((name) =>
    isIP(name) > 0
      ? certificate.checkIP(name) !== undefined
      : certificate.checkHost(name) !== undefined,
  )
}

function joinPem(...parts: readonly string[]): string {
  return parts
    .filter(Boolean)
    .map((part) => `${part.trim()}\n`)
    .join('')
}

function encode(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64')
}
