import { readFile } from 'node:fs/promises'
import { errorText } from '#src/observe/log.ts'
import type { Logger } from '#src/observe/log.ts'
import { readCertificate } from '#src/transport/certificate.ts'
import type { ServingCertificate } from './webhook-server.ts'

export interface CertificateFilesOptions {
  readonly certificateFile: string
  readonly keyFile: string
  readonly log: Logger
  readonly onCertificate: (certificate: ServingCertificate) => void
}

/** Mounted Secrets change without a word that could be relied upon: they are read so often. */
const readPeriodMs = 10_000
const bytesMax = 1024 * 1024

/** A certificate in files, as cert-manager mounts it; read again as it changes. */
export class CertificateFiles {
  readonly #options: CertificateFilesOptions
  #timer: NodeJS.Timeout | undefined
  #last = ''
  #lastProblem = ''

  constructor(options: CertificateFilesOptions) {
    this.#options = options
  }

  /** Rejects, naming the file, when there is no certificate that can be used. */
  async start(): Promise<void> {
    await this.#read()
    this.#timer = setInterval(() => {
      void this.reread()
    }, readPeriodMs)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Takes what is there now; whatever is wrong with it leaves the last good certificate in force. */
  async reread(): Promise<void> {
    try {
      await this.#read()
      this.#lastProblem = ''
    } catch (error) {
      const problem = errorText(error)
      if (problem === this.#lastProblem) return
      this.#lastProblem = problem
      this.#options.log.error('the certificate of the webhook is not renewed', { problem })
    }
  }

  async #read(): Promise<void> {
    const { certificateFile, keyFile, onCertificate } = this.#options
    const certificatePem = await readFlagFile('webhook-certificate-file', certificateFile)
    const keyPem = await readFlagFile('webhook-key-file', keyFile)
    const both = JSON.stringify([certificatePem, keyPem])
    if (both === this.#last) return
    const reading = readCertificate(certificatePem, keyPem)
    if (!reading.ok)
      throw new Error(`--webhook-certificate-file ${certificateFile}: ${reading.error}`)
    onCertificate(reading)
    this.#last = both
  }
}

async function readFlagFile(flag: string, file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new Error(`--${flag} cannot be read: ${errorText(error)}`)
  })
  if (text.length > bytesMax) throw new Error(`--${flag} ${file} is longer than ${bytesMax} bytes`)
  return text
}
