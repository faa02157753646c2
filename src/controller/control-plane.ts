import { Resolver as DnsResolver } from 'node:dns/promises'
import { parentPort, workerData } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import { createLogger, errorText } from '#src/observe/log.ts'
import { systemSchedule } from '#src/sources/schedule.ts'
import { systemLookup } from '#src/sources/names/lookup.ts'
import type { Source, SourceOwner } from '#src/sources/source.ts'
import type { ControlPlaneStart, FromControlPlane, ToControlPlane } from '#src/workers/messages.ts'
import { Controller } from './controller.ts'
import { combineDuties } from './duties.ts'
import type { Duties, DutyContext } from './duties.ts'
import type { ClusterDuties } from './cluster-duties.ts'
import type { SourceContext } from './controller.ts'
import type { ControlPlaneSettings } from './settings.ts'
import { connectCollector } from './spans/collector.ts'
import { SpanExport } from './spans/span-export.ts'
import { addSpanMetrics } from './spans/span-metrics.ts'

const beatMs = 500
const logLinesPerSecond = 200

// The thread of the control plane: everything that a Controller needs from its surroundings.
const port = parentPort as MessagePort
const start = workerData as ControlPlaneStart<ControlPlaneSettings>
const { settings, version, certificate, unopened, beat } = start

function post(message: FromControlPlane): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- not a window
  port.postMessage(message)
}

const log = createLogger({
  ...start.log,
  now: Date.now,
  linesPerSecond: logLinesPerSecond,
  write: (line) => {
    post({ kind: 'log', line })
  },
})

const { cluster, files = '', state, webhook } = settings

// Each is loaded where it is asked for: a start without a cluster needs a third of the modules.
const api = cluster && {
  ...(await import('#src/kubernetes/api-client.ts')),
  ...(await import('#src/sources/cluster/cluster-source.ts')),
  ...(await import('./cluster-duties.ts')),
}
const folder = cluster === undefined ? await import('#src/sources/files/file-source.ts') : undefined
const memory = state && {
  ...(await import('#src/sources/state/kept-source.ts')),
  ...(await import('./state-metrics.ts')),
}
const admission = webhook && (await import('./admission-duty.ts'))

const client =
  cluster && (await api?.createApiClient({ cluster: cluster.choice, userAgent: cluster.userAgent }))

function sourceOf(owner: SourceOwner): Source {
  if (folder !== undefined) return new folder.FileSource({ folder: files, owner })
  if (api === undefined || client === undefined) throw new Error('there is no source')
  const { namespaces, namespaceSelector, ingressClass, defaultBackendService } = settings.compile
  const scope = {
    namespaces,
    namespaceLabels: namespaceSelector.length > 0,
    ingressClass,
    defaultBackend: defaultBackendService,
  }
  return new api.ClusterSource({ client, scope, owner, log })
}

function createDuties(context: DutyContext): Duties {
  const all: Duties[] = []
  let forCluster: ClusterDuties | undefined
  if (cluster !== undefined && api !== undefined && client !== undefined) {
    forCluster = new api.ClusterDuties({
      ...context,
      client,
      settings: cluster.duties,
      log,
      onLeading: (leads) => {
        post({ kind: 'leading', leading: leads })
      },
    })
    all.push(forCluster)
  }
  const { compile } = settings
  const leading = (): boolean => forCluster?.leading === true
  if (webhook !== undefined && admission !== undefined) {
    const asked = { ...context, settings: webhook, compile, client, leading, log }
    all.push(new admission.AdmissionDuty(asked))
  }
  return combineDuties(all)
}

const spans = new SpanExport({ connect: connectCollector, schedule: systemSchedule, log })

/** The source, with a memory where one is asked for. */
function createSource(owner: SourceOwner, { objects, registry }: SourceContext): Source {
  addSpanMetrics(registry, spans)
  if (state === undefined || memory === undefined) return sourceOf(owner)
  const kept = new memory.KeptSource({
    ...state,
    owner,
    create: sourceOf,
    objects,
    log,
    schedule: systemSchedule,
    now: Date.now,
  })
  memory.addStateMetrics(registry, kept)
  return kept
}

const controller = new Controller({
  settings,
  version,
  certificate,
  createSource,
  lookup: systemLookup(new DnsResolver({ timeout: 2000, tries: 2 })),
  post,
  createDuties,
  onTracing: (tracing) => {
    spans.configure(tracing)
  },
  log,
  now: Date.now,
})
if (cluster !== undefined) post({ kind: 'leading', leading: false })

async function answer(id: number): Promise<void> {
  post({ kind: 'answer', id, text: await controller.metrics() })
}

/** What other replicas wait for is given back; the supervisor ends the thread. */
async function stop(): Promise<void> {
  await Promise.all([controller.stop().catch(() => undefined), spans.stop()])
  post({ kind: 'stopped' })
}

port.on('message', (message: ToControlPlane) => {
  switch (message.kind) {
    case 'query':
      void answer(message.id)
      break
    case 'settled':
      controller.settled(message.version)
      break
    case 'unopened':
      controller.unopened(message.listeners)
      break
    case 'spans':
      spans.add(message.spans, message.dropped)
      post({ kind: 'spans-taken' })
      break
    case 'stop':
      void stop()
      break
  }
})

controller.unopened(unopened)
setInterval(() => {
  Atomics.add(beat, 0, 1)
}, beatMs)

try {
  await controller.start()
} catch (error) {
  post({ kind: 'failed', error: errorText(error) })
  throw error
}
