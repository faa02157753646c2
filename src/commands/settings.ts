import { defaultCompileSettings } from '#src/compile/settings.ts'
import type { CompileSettings } from '#src/compile/settings.ts'
import type { FlagValues } from './flags.ts'
import { UsageError } from './parse-flags.ts'

/** What the flags say to the compiler, by where objects come from. */
export function compileSettingsOf(
  values: FlagValues,
  source: CompileSettings['source'] = 'files',
): CompileSettings {
  const defaults = defaultCompileSettings
  return {
    source,
    ...listenersOf(values),
    ingressClass: values['ingress-class'] ?? defaults.ingressClass,
    controllerClass: values['controller-class'] ?? defaults.controllerClass,
    ingressClassByName: values['ingress-class-by-name'] ?? defaults.ingressClassByName,
    watchIngressWithoutClass: values['watch-ingress-without-class'] ?? source === 'files',
    everyClass: false,
    annotationsPrefix: values['annotations-prefix'] ?? defaults.annotationsPrefix,
    namespaces: values['watch-namespace'] ?? [],
    namespaceSelector: values['watch-namespace-selector'] ?? [],
    configMap: values.configmap,
    defaultBackendService: values['default-backend-service'],
    defaultCertificate: values['default-ssl-certificate'],
    accessLog: values['log-format'] ?? defaults.accessLog,
    drainTimeoutMs: values['drain-timeout'],
    node: values['node-name'] ?? '',
    zone: values.zone ?? '',
  }
}

function listenersOf(
  values: FlagValues,
): Pick<
  CompileSettings,
  'httpPort' | 'httpsPort' | 'adminPort' | 'webhookPort' | 'tcpServices' | 'sslPassthrough'
> {
  const defaults = defaultCompileSettings
  return {
    httpPort: values['http-port'] ?? defaults.httpPort,
    httpsPort: values['https-port'] ?? defaults.httpsPort,
    adminPort: values['admin-port'] ?? defaults.adminPort,
    webhookPort: values['webhook-port'] ?? defaults.webhookPort,
    tcpServices: values['tcp-services-configmap'],
    sslPassthrough: values['enable-ssl-passthrough'] ?? false,
  }
}

/** Refuses a port that is asked for twice. 0 means that there is no listener. */
export function refuseSharedPorts(ports: Readonly<Record<string, number>>): void {
  const owners = new Map<number, string>()
  for (const [flag, port] of Object.entries(ports)) {
    const owner = owners.get(port)
    if (port !== 0 && owner !== undefined) {
      throw new UsageError(`--${owner} and --${flag} are both ${port}`)
    }
    owners.set(port, flag)
  }
}
