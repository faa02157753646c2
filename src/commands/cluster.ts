import type { ClusterSettings } from '#src/controller/settings.ts'
import { checkConfig, chooseCluster } from '#src/kubernetes/kube-config.ts'
import { KubeConfigError } from '#src/kubernetes/kube-file.ts'
import { CommandError } from './command.ts'
import type { CommandContext } from './command.ts'
import { dutySettingsOf } from './duties.ts'
import type { FlagValues } from './flags.ts'
import { UsageError } from './parse-flags.ts'
import { productVersion } from './version.ts'

/** The cluster to serve: --kubeconfig, else the one around this process, else KUBECONFIG. */
export async function clusterOf(
  values: FlagValues,
  environment: CommandContext['environment'],
): Promise<ClusterSettings> {
  const { kubeconfig, context } = values
  const duties = dutySettingsOf(values, environment)
  try {
    const choice = await chooseCluster({ kubeconfig, context }, environment)
    if (choice === undefined) {
      throw new UsageError('nothing to serve: give --files or --kubeconfig, or set KUBECONFIG')
    }
    // What is wrong with it is said here, once, and not by a thread that is started again and again.
    await checkConfig(choice)
    return { choice, userAgent: `headgate/${productVersion()}`, duties }
  } catch (error) {
    if (error instanceof KubeConfigError) throw new CommandError(error.message)
    throw error
  }
}
