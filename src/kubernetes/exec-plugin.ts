import { spawn } from 'node:child_process'
import { basename } from 'node:path'
import { errorText } from '#src/observe/log.ts'

/** How a plugin is called, from `exec` of a user in a kubeconfig. */
export interface ExecSettings {
  /** Path, or a name that PATH finds. */
  readonly command: string
  readonly args: readonly string[]
  /** In addition to those of this process. */
  readonly env: Readonly<Record<string, string>>
  /** One of {@link execVersions}. */
  readonly apiVersion: string
  /** What the kubeconfig says to those who lack the program. */
  readonly installHint: string
}

/** What a plugin gave: a token, a client certificate with its key, or both; '' for what it did not. */
export interface ExecLogin {
  readonly token: string
  readonly certificate: string
  readonly key: string
}

/** Versions of the interface between plugins and clients; the alpha one is gone since Kubernetes 1.24. */
export const execVersions = [
  'client.authentication.k8s.io/v1',
  'client.authentication.k8s.io/v1beta1',
]

const timeoutMsPreset = 60_000
/** A plugin that has just failed is not started again for every watch. */
const failureMs = 5000
const outputBytesMax = 1024 * 1024
const complaintLengthMax = 300

/**
 * A program that logs us in (KEP-541, client.authentication.k8s.io): it is started when there is no login
 * or an expired one, and has a minute. KubeConfig's own way keeps for ever what a plugin once said,
 * useless as it may be, and waits for one that hangs.
 */
export class ExecPlugin {
  readonly #settings: ExecSettings
  readonly #timeoutMs: number
  #login: ExecLogin | undefined
  /** On the wall clock, as the plugin means it. */
  #expiresAtMs = Infinity
  #failure: Error | undefined
  #failedAtMs = 0

  constructor(settings: ExecSettings, timeoutMs = timeoutMsPreset) {
    this.#settings = settings
    this.#timeoutMs = timeoutMs
  }

  /** `nowMs` is monotonic. Rejects with one line that names the plugin and holds nothing of its output. */
  async login(nowMs: number, wallMs = Date.now()): Promise<ExecLogin> {
    if (this.#login !== undefined && wallMs < this.#expiresAtMs) return this.#login
    if (this.#failure !== undefined && nowMs - this.#failedAtMs < failureMs) throw this.#failure
    try {
      const { login, expiresAtMs } = readCredential(await this.#run(), this.#settings.apiVersion)
      this.#login = login
      this.#expiresAtMs = expiresAtMs
      this.#failure = undefined
      return login
    } catch (error) {
      const name = basename(this.#settings.command)
      this.#failure = new Error(`exec plugin ${name} ${errorText(error)}`, { cause: error })
      this.#failedAtMs = nowMs
      throw this.#failure
    }
  }

  /** What the program prints. */
  async #run(): Promise<string> {
    const { command, args, env, installHint } = this.#settings
    const child = spawn(command, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    let complaint = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(0, complaintLengthMax)
    })
    let timer: NodeJS.Timeout | undefined
    try {
      await new Promise<void>((resolve, reject) => {
        const fail = (problem: string): void => {
          reject(new Error(problem))
        }
        timer = setTimeout(() => {
          fail(`has not ended within ${this.#timeoutMs / 1000} s`)
        }, this.#timeoutMs)
        child.stdout.setEncoding('utf8').on('data', (text: string) => {
          output += text
          if (output.length > outputBytesMax) fail(`prints more than ${outputBytesMax} bytes`)
        })
        child.on('error', (error) => {
          const hint = installHint === '' ? '' : `; ${installHint.slice(0, complaintLengthMax)}`
          fail(`cannot be started: ${errorText(error)}${hint}`)
        })
        child.on('close', (code, signal) => {
          if (code === 0) resolve()
          else
            fail(`ended with ${signal ?? `code ${code}`}: ${complaint.trim() || 'it says nothing'}`)
        })
      })
      return output
    } finally {
      clearTimeout(timer)
      // One that hangs, or goes on printing, does not stay.
      child.kill('SIGKILL')
      child.stdout.destroy()
      child.stderr.destroy()
    }
  }
}

function readCredential(
  output: string,
  expectedVersion: string,
): { readonly login: ExecLogin; readonly expiresAtMs: number } {
  const { apiVersion, kind, status } = membersOf(parse(output))
  if (kind !== 'ExecCredential') throw new Error('did not print an ExecCredential')
  if (apiVersion !== expectedVersion) {
    throw new Error(`did not print apiVersion ${expectedVersion}, as exec.apiVersion asks for`)
  }
  const fields = membersOf(status)
  const token = textOf(fields['token'])
  const certificate = textOf(fields['clientCertificateData'])
  const key = textOf(fields['clientKeyData'])
  if ((certificate === '') !== (key === '')) {
    const missing = key === '' ? 'clientKeyData' : 'clientCertificateData'
    throw new Error(`printed no status.${missing}`)
  }
  if (token === '' && certificate === '') {
    throw new Error('printed neither status.token nor status.clientCertificateData')
  }
  const expiry = fields['expirationTimestamp']
  const expiresAtMs = typeof expiry === 'string' ? Date.parse(expiry) : Infinity
  if (Number.isNaN(expiresAtMs))
    throw new Error('printed a status.expirationTimestamp that is none')
  return { login: { token, certificate, key }, expiresAtMs }
}

function parse(output: string): unknown {
  try {
    return JSON.parse(output)
  } catch {
    throw new Error('did not print JSON')
  }
}

function membersOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
