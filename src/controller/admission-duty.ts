import { Counter, Histogram } from 'prom-client'
import { CertificateFiles } from '#src/admission/certificate-files.ts'
import { ManagedCertificate } from '#src/admission/managed-certificate.ts'
import { Reviewer } from '#src/admission/reviewer.ts'
import { WebhookServer } from '#src/admission/webhook-server.ts'
import type { ServingCertificate } from '#src/admission/webhook-server.ts'
import type { CompileSettings } from '#src/compile/settings.ts'
import type { ApiClient } from '#src/kubernetes/api-client.ts'
import { metricPrefix } from '#src/observe/exposition.ts'
import { errorText } from '#src/observe/log.ts'
import type { Logger } from '#src/observe/log.ts'
import { certificateReaders } from '#src/transport/certificate-readers.ts'
import type { CompiledView, Duties, DutyContext } from './duties.ts'
import type { WebhookSettings } from './settings.ts'

export interface AdmissionDutyOptions extends DutyContext {
  readonly settings: WebhookSettings
  readonly compile: CompileSettings
  /** For certificates of our own making. */
  readonly client: ApiClient | undefined
  readonly leading: () => boolean
  readonly log: Logger
}

const secondsBounds = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5]

/** The admission webhook of this replica: every replica answers. */
export class AdmissionDuty implements Duties {
  readonly #options: AdmissionDutyOptions
  readonly #reviewer: Reviewer
  readonly #server: WebhookServer
  readonly #certificate: Pick<CertificateFiles, 'stop'> & { start(): Promise<void> | void }

  constructor(options: AdmissionDutyOptions) {
    this.#options = options
    const { log, compile, registry } = options
    this.#reviewer = new Reviewer({
      settings: compile,
      readers: certificateReaders,
      now: Date.now,
      log,
    })
    const registers = [registry]
    const reviews = new Counter({
      name: `${metricPrefix}webhook_reviews_total`,
      help: 'Admission reviews, by outcome.',
      labelNames: ['outcome'],
      registers,
    })
    const seconds = new Histogram({
      name: `${metricPrefix}webhook_review_duration_seconds`,
      help: 'Time from the head of an admission review to its answer.',
      buckets: secondsBounds,
      registers,
    })
    this.#server = new WebhookServer({
      reviewer: this.#reviewer,
      log,
      now: () => performance.now(),
      count: (outcome, durationMs) => {
        reviews.inc({ outcome })
        seconds.observe(durationMs / 1000)
      },
    })
    this.#certificate = this.#createCertificate()
  }

  /** Rejects when the port or the certificate's files cannot be used. */
  async start(): Promise<void> {
    const { settings, log } = this.#options
    await this.#certificate.start()
    try {
      await this.#server.listen(settings.port)
    } catch (error) {
      throw new Error(`--webhook-port ${settings.port}: ${errorText(error)}`, { cause: error })
    }
    log.info('the admission webhook listens', { port: settings.port })
  }

  compiled({ snapshot }: CompiledView): void {
    this.#reviewer.use(snapshot)
  }

  /** Objects are judged by what is known, in force or not. */
  settled(): void {
    // Nothing depends on it.
  }

  async stop(): Promise<void> {
    this.#certificate.stop()
    await this.#server.close()
  }

  #createCertificate() {
    const { settings, client, leading, log } = this.#options
    const onCertificate = (certificate: ServingCertificate): void => {
      this.#server.useCertificate(certificate)
    }
    const { files, managed } = settings
    if (files !== undefined) return new CertificateFiles({ ...files, log, onCertificate })
    if (managed === undefined || client === undefined) {
      throw new Error(
        'the webhook has neither files with a certificate nor a cluster to keep one in',
      )
    }
    const namespace = managed.namespace || client.namespace
    return new ManagedCertificate({
      client,
      secret: { namespace, name: managed.secret },
      configuration: managed.configuration,
      leading,
      wallClock: Date.now,
      log,
      onCertificate,
    })
  }
}
