import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { commands } from '#src/commands/index.ts'
import { parseFlags } from '#src/commands/parse-flags.ts'
import { renderChart } from './support/chart.ts'
import { manifestsOf } from './support/cluster-api.ts'
import type { Manifest } from './support/cluster-api.ts'

// What of the rendered objects must fit together, whatever the values are.

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string }
  readonly periodSeconds: number
  readonly failureThreshold: number
}

interface Container {
  readonly args: readonly string[]
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[]
  readonly startupProbe: Probe
  readonly readinessProbe: Probe
  readonly livenessProbe: Probe
  readonly lifecycle?: { readonly preStop: { readonly sleep: { readonly seconds: number } } }
}

type PortsByName = ReadonlyMap<string, number>
type Flags = ReturnType<typeof parseFlags>['values']

interface PodSpec {
  readonly terminationGracePeriodSeconds: number
  readonly containers: readonly [Container]
}

interface Port {
  readonly port: number | string
  readonly targetPort?: string
}

const folder = join(import.meta.dirname, 'values')
const sets: readonly (readonly string[])[] = [
  ...globSync(join(folder, '*.yaml'))
    .toSorted()
    .map((file) => ['--values', file]),
  ['--set', 'shutdown.preStopSleepSeconds=0,shutdown.gracePeriodSeconds=0'],
  ['--set', 'shutdown.drainTimeoutSeconds=7200'],
  ['--set', 'ports.http=8080,ports.https=0,ports.admin=9000,kind=DaemonSet'],
  ['--set', 'tcp.22=git/ssh:22,tcp.65535=shop/last:http,networkPolicy.enabled=true'],
]

/** The specification of an object, as the test knows that its kind has it. */
function specOf(manifest: Manifest | undefined): unknown {
  return manifest?.['spec'] ?? {}
}

function podOf(objects: readonly Manifest[]): PodSpec {
  const workload = objects.find(({ kind }) => kind === 'Deployment' || kind === 'DaemonSet')
  return (specOf(workload) as { readonly template: { readonly spec: PodSpec } }).template.spec
}

/** Stopping has time, and is known of before the Pod accepts no more. */
function checkStopping({ terminationGracePeriodSeconds, containers }: PodSpec, flags: Flags): void {
  const [{ lifecycle, readinessProbe }] = containers
  const { 'shutdown-grace-period': graceMs, 'drain-timeout': drainMs } = flags
  assert.ok(graceMs !== undefined && drainMs !== undefined)
  const sleepMs = (lifecycle?.preStop.sleep.seconds ?? 0) * 1000
  assert.ok(terminationGracePeriodSeconds * 1000 >= sleepMs + graceMs + drainMs + 10_000)
  const noticedMs = readinessProbe.periodSeconds * readinessProbe.failureThreshold * 1000
  if (sleepMs > 0) assert.ok(sleepMs + graceMs >= noticedMs)
}

function checkProbes(container: Container, ports: PortsByName, flags: Flags): void {
  for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe'] as const) {
    const { httpGet, periodSeconds, failureThreshold } = container[probe]
    assert.equal(httpGet.path, probe === 'readinessProbe' ? '/readyz' : '/healthz')
    assert.equal(ports.get(httpGet.port), flags['admin-port'])
    assert.ok(periodSeconds * failureThreshold >= 10, `${probe} is impatient`)
  }
}

/** Services lead to ports that there are, and the policy opens all of them. */
function checkWaysIn(objects: readonly Manifest[], ports: PortsByName): void {
  for (const object of objects.filter(({ kind }) => kind === 'Service')) {
    for (const { targetPort = '' } of (specOf(object) as { readonly ports: readonly Port[] }).ports)
      assert.ok(ports.has(targetPort), `Service ${object.metadata.name}: ${targetPort}`)
  }
  const policy = objects.find(({ kind }) => kind === 'NetworkPolicy')
  if (policy === undefined) return
  const { ingress } = specOf(policy) as { readonly ingress: readonly { ports: readonly Port[] }[] }
  const open = ingress.flatMap((rule) => rule.ports.map(({ port }) => String(port)))
  assert.deepEqual(open.toSorted(), [...ports.keys()].toSorted())
}

/** The flags name the ConfigMaps that there are, and each TCP port is one of the container. */
function checkConfigMaps(objects: readonly Manifest[], ports: PortsByName, flags: Flags): void {
  const configMaps = objects.filter(({ kind }) => kind === 'ConfigMap')
  const named = [flags.configmap, flags['tcp-services-configmap']].filter(
    (one) => one !== undefined,
  )
  assert.deepEqual(
    named.map((one) => `${one.namespace}/${one.name}`).toSorted(),
    configMaps.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).toSorted(),
  )
  const tcp = configMaps.find(({ metadata }) => metadata.name.endsWith('-tcp'))
  for (const port of Object.keys(tcp?.['data'] ?? {})) {
    assert.equal(ports.get(`tcp-${port}`), Number(port))
  }
}

for (const flags of sets) {
  test(`objects fit together: ${flags.join(' ').replace(folder, '')}`, async () => {
    const objects = manifestsOf(await renderChart(flags))
    const pod = podOf(objects)
    const [container] = pod.containers
    const [, ...given] = container.args
    const { values } = parseFlags(given, {}, commands['serve']?.flags ?? [])
    const ports = new Map(container.ports.map((port) => [port.name, port.containerPort]))
    assert.equal(ports.size, container.ports.length, 'names of ports are unique')
    checkStopping(pod, values)
    checkProbes(container, ports, values)
    checkWaysIn(objects, ports)
    checkConfigMaps(objects, ports, values)
  })
}
