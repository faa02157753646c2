import type { AnyObject } from '#src/snapshot/objects.ts'
import { compileObjects } from '#test/compile/compiling.ts'
import type { Given } from '#test/compile/compiling.ts'
import {
  configMap,
  ingress,
  ingressClass,
  nginx,
  prefix,
  service,
  slice,
} from '#test/compile/builders.ts'
import type { Annotations } from '#test/compile/builders.ts'
import { TestPlane } from './plane.ts'

/** Manifests, compiled and served by a data plane of this process. */
export async function serve(
  objects: readonly AnyObject[],
  given: Given = {},
): Promise<{ readonly plane: TestPlane; readonly findings: readonly string[] }> {
  const { table, diagnostics } = compileObjects(objects, { source: 'files', ...given })
  const findings = diagnostics
    .filter(({ code }) => code !== 'configmap-missing')
    .map(({ severity, code, field }) => `${severity} ${code} ${field}`)
  return { plane: await TestPlane.ofTable(table), findings }
}

/** A Service whose one endpoint listens on this port of 127.0.0.1; 0: it has no endpoint. */
export function localService(name: string, port: number): AnyObject[] {
  const ports = [{ name: 'http', port, protocol: 'TCP', appProtocol: '' }]
  const own = port === 0 ? [] : [slice(`${name}-1`, name, ['127.0.0.1'], { ports })]
  return [service(name), ...own]
}

/** An Ingress for `app.test` with these annotations of ingress-nginx, to the Service web. */
export function webIngress(annotations: Annotations, options: Annotations = {}): AnyObject[] {
  const hosts = { 'app.test': [prefix('/')] }
  const own = ingress('one', { annotations: nginx(annotations), hosts })
  return [ingressClass('headgate'), configMap(options), own]
}
