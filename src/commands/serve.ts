import { fstatSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import type { ControlPlaneSettings } from '#src/controller/settings.ts'
import { AdminServer } from '#src/observe/admin-server.ts'
import { LineWriter } from '#src/observe/line-writer.ts'
import { createLogger, errorStack, errorText } from '#src/observe/log.ts'
import type { Logger } from '#src/observe/log.ts'
import { adminRoutes } from '#src/workers/admin-api.ts'
import { Shutdown } from '#src/workers/shutdown.ts'
import { Supervisor } from '#src/workers/supervisor.ts'
import type { CommandContext } from './command.ts'
import { CommandError } from './command.ts'
import { clusterOf } from './cluster.ts'
import { refuseClusterFlags, webhookSettingsOf } from './duties.ts'
import type { FlagValues } from './flags.ts'
import { chooseAddresses, listenFailure } from './ports.ts'
import { stateSettingsOf } from './state.ts'
import { compileSettingsOf, refuseSharedPorts } from './settings.ts'
import { productVersion } from './version.ts'

const defaultAdminPort = 9180
const defaultAdminAddress = '127.0.0.1'
/** How long the last log lines may take at the end. */
const flushMs = 500

/** `headgate serve`: runs until it is told to stop. */
export async function serve({ values, environment }: CommandContext): Promise<number> {
  const startedAt = new Date()
  const settings = await settingsOf(values, environment)
  const output = createOutput(values)
  const supervisor = await createSupervisor(values, settings, output)
  const shutdown = new Shutdown({
    supervisor,
    graceMs: values['shutdown-grace-period'] ?? 0,
    drainTimeoutMs: () => supervisor.feed.table.options.drainTimeoutMs,
    log: output.log,
  })
  const admin = await createAdmin(values, supervisor, { output, settings, startedAt })
  listenToSignals(shutdown, output.log)
  try {
    await Promise.race([supervisor.start(), shutdown.done])
  } catch (error) {
    await supervisor.stop()
    throw new CommandError(errorText(error))
  }
  if (supervisor.ready) logReady(output.log, supervisor, { settings, values, startedAt })
  await shutdown.done
  await admin.close()
  await Promise.all([output.accessLog.flush(flushMs), output.processLog.flush(flushMs)])
  return 0
}

type Environment = CommandContext['environment']

interface Started {
  readonly settings: ControlPlaneSettings
  readonly values: FlagValues
  readonly startedAt: Date
}

function logReady(
  log: Logger,
  { memory }: Supervisor,
  { settings, values, startedAt }: Started,
): void {
  log.info('ready', {
    httpPort: settings.compile.httpPort,
    httpsPort: settings.compile.httpsPort,
    adminPort: values['admin-port'] ?? defaultAdminPort,
    workers: memory.writers,
    startMs: Date.now() - startedAt.getTime(),
  })
}

interface Output {
  readonly accessLog: LineWriter
  readonly processLog: LineWriter
  readonly log: Logger
}

/** Access log on standard output, process log on standard error; one writer where they are the same. */
function createOutput(values: FlagValues): Output {
  const accessLog = new LineWriter(process.stdout)
  const processLog = isSameFile(1, 2) ? accessLog : new LineWriter(process.stderr)
  const log = createLogger({ ...logSettingsOf(values), write: processLog.write, now: Date.now })
  return { accessLog, processLog, log }
}

function isSameFile(a: number, b: number): boolean {
  try {
    const one = fstatSync(a)
    const other = fstatSync(b)
    return one.dev === other.dev && one.ino === other.ino
  } catch {
    return false
  }
}

function logSettingsOf(values: FlagValues) {
  return { format: values['log-format'] ?? 'json', level: values['log-level'] ?? 'info' } as const
}

async function settingsOf(
  values: FlagValues,
  environment: Environment,
): Promise<ControlPlaneSettings> {
  const { files } = values
  const cluster = files === undefined ? await clusterOf(values, environment) : undefined
  if (files !== undefined) refuseClusterFlags(values)
  const state = await stateSettingsOf(values)
  // With a state, a folder that is away may be served all the same.
  if (files !== undefined && state === undefined) await requireFolder(files)
  const compile = compileSettingsOf(values, cluster === undefined ? 'files' : 'kubernetes')
  refuseSharedPorts({
    'http-port': compile.httpPort,
    'https-port': compile.httpsPort,
    'admin-port': compile.adminPort,
    'webhook-port': compile.webhookPort,
  })
  const webhook = webhookSettingsOf(values, environment, cluster !== undefined)
  const common = {
    compile,
    ...(webhook !== undefined && { webhook }),
    ...(state !== undefined && { state }),
  }
  return cluster === undefined ? { files: files ?? '', ...common } : { cluster, ...common }
}

async function requireFolder(files: string): Promise<void> {
  const found = await stat(files).catch((error: unknown) => {
    throw new CommandError(`--files cannot be read: ${errorText(error)}`)
  })
  if (!found.isDirectory()) throw new CommandError(`--files must name a folder, got ${files}`)
}

async function createSupervisor(
  values: FlagValues,
  settings: ControlPlaneSettings,
  { accessLog, processLog, log }: Output,
): Promise<Supervisor> {
  const bindAddresses = await chooseAddresses(values['bind-address'], [
    { flag: 'http-port', port: settings.compile.httpPort },
    { flag: 'https-port', port: settings.compile.httpsPort },
  ])
  return new Supervisor({
    workers: values.workers ?? availableParallelism(),
    endpointSlots: values['endpoint-slots'] ?? 131_072,
    ruleSlots: values['rule-slots'] ?? 65_536,
    bindAddresses,
    sessionKey: await readSecret(values, 'session-key-file', 16),
    heartbeatTimeoutMs: values['worker-heartbeat-timeout'] ?? 5000,
    controlPlane: {
      entry: new URL('../controller/control-plane.ts', import.meta.url),
      settings,
      heapMb: values['control-plane-heap-mb'] ?? 1024,
    },
    dataPlane: new URL('../proxy/data-plane.ts', import.meta.url).href,
    logSettings: logSettingsOf(values),
    log,
    accessLog,
    onLogLine: processLog.write,
  })
}

async function createAdmin(
  values: FlagValues,
  supervisor: Supervisor,
  { output, settings, startedAt }: Omit<Started, 'values'> & { readonly output: Output },
): Promise<AdminServer> {
  const { processLog, log } = output
  const admin = new AdminServer({
    routes: adminRoutes({
      supervisor,
      version: productVersion(),
      startedAt,
      logLinesDropped: () => processLog.dropped,
    }),
    token: await readSecret(values, 'admin-token-file', 1),
    log,
  })
  const port = values['admin-port'] ?? defaultAdminPort
  const address = values['admin-bind-address'] ?? (await adminAddressOf(settings, port))
  if (port === 0) return admin
  try {
    await admin.listen(address, port)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? errorText(error)
    throw new CommandError(listenFailure(address, port, { flag: 'admin-port', code }))
  }
  return admin
}

/** The kubelet and Prometheus ask at the Pod's address; elsewhere only this machine may ask. */
async function adminAddressOf({ cluster }: ControlPlaneSettings, port: number): Promise<string> {
  if (cluster === undefined || cluster.choice.files.length > 0) return defaultAdminAddress
  const [address] = await chooseAddresses(undefined, [{ flag: 'admin-port', port }])
  return address ?? defaultAdminAddress
}

const secretLengthMax = 4096

/** The secret in a file, '' when no file is named. */
async function readSecret(
  values: FlagValues,
  flag: 'admin-token-file' | 'session-key-file',
  lengthMin: number,
): Promise<string> {
  const file = values[flag]
  if (file === undefined) return ''
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new CommandError(`--${flag} cannot be read: ${errorText(error)}`)
  })
  const secret = text.trim()
  if (secret === '' && lengthMin === 1) throw new CommandError(`--${flag} holds no token`)
  if (secret.length < lengthMin || secret.length > secretLengthMax) {
    throw new CommandError(
      `--${flag} must hold ${lengthMin} to ${secretLengthMax} characters, got ${secret.length}`,
    )
  }
  return secret
}

function listenToSignals(shutdown: Shutdown, log: Logger): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      shutdown.request(signal)
    })
  }
  // A fault in this thread, say in the admin port, must not end the traffic of the others.
  process.on('uncaughtException', (error) => {
    log.error('fault in the supervisor', { error: errorText(error), stack: errorStack(error) })
  })
}
