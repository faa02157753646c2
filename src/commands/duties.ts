import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { DutySettings, WebhookSettings } from '#src/controller/settings.ts'
import { defaultCompileSettings } from '#src/compile/settings.ts'
import type { OwnPod } from '#src/feedback/replicas.ts'
import type { FlagName, FlagValues } from './flags.ts'
import { UsageError } from './parse-flags.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** Flags that are about a cluster. */
const clusterFlags = [
  'kubeconfig',
  'context',
  'publish-service',
  'publish-status-address',
  'election-id',
  'election-namespace',
] as const satisfies readonly FlagName[]

/**
 * What this replica does for its cluster. POD_NAME and POD_NAMESPACE, by the downward API, tell which
 * Pod it is. Throws a UsageError for flags that exclude each other.
 */
export function dutySettingsOf(values: FlagValues, environment: Environment): DutySettings {
  const { 'publish-service': service, 'publish-status-address': addresses = [] } = values
  if (service !== undefined && addresses.length > 0) {
    throw new UsageError('--publish-service and --publish-status-address exclude each other')
  }
  const { name, namespace } = ownPod(environment)
  return {
    identity: `${name || hostname()}_${randomBytes(4).toString('hex')}`,
    pod: name === '' || namespace === '' ? undefined : { namespace, name },
    election: electionOf(values, namespace),
    publish: { addresses, service },
    updateStatus: values['update-status'] ?? true,
    controllerClass: values['controller-class'] ?? defaultCompileSettings.controllerClass,
    namespaces: values['watch-namespace'] ?? [],
  }
}

/** '' for what the environment does not say. */
function ownPod({ POD_NAME: name = '', POD_NAMESPACE: namespace = '' }: Environment): OwnPod {
  return { name, namespace }
}

function electionOf(values: FlagValues, namespace: string): DutySettings['election'] {
  return {
    id: values['election-id'] ?? 'headgate-leader',
    namespace: values['election-namespace'] ?? namespace,
  }
}

/** Refuses flags that would be without effect, as there is no cluster. */
export function refuseClusterFlags(values: FlagValues): void {
  const given = clusterFlags.find((flag) => values[flag] !== undefined)
  if (given !== undefined) throw new UsageError(`--${given} needs a cluster; --files has none`)
}

/** The admission webhook; undefined: it is off. Throws a UsageError when it could have no certificate. */
export function webhookSettingsOf(
  values: FlagValues,
  environment: Environment,
  hasCluster: boolean,
): WebhookSettings | undefined {
  const port = values['webhook-port'] ?? 0
  if (port === 0) return undefined
  const certificateFile = values['webhook-certificate-file']
  const keyFile = values['webhook-key-file']
  if ((certificateFile === undefined) !== (keyFile === undefined)) {
    throw new UsageError('--webhook-certificate-file and --webhook-key-file go together')
  }
  if (certificateFile !== undefined && keyFile !== undefined) {
    return { port, files: { certificateFile, keyFile }, managed: undefined }
  }
  const configuration = values['webhook-configuration']
  if (!hasCluster || configuration === undefined) {
    const other = hasCluster ? ', or --webhook-configuration' : ''
    throw new UsageError(
      `--webhook-port needs --webhook-certificate-file and --webhook-key-file${other}`,
    )
  }
  const { namespace } = electionOf(values, ownPod(environment).namespace)
  const secret = values['webhook-secret'] ?? 'headgate-webhook'
  return { port, files: undefined, managed: { configuration, namespace, secret } }
}
