import { Resolver as DnsResolver } from 'node:dns/promises'
import { parentPort, workerData } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import { createApiClient } from '#src/kubernetes/api-client.ts'
import { createLogger, errorText } from '#src/observe/log.ts'
import { FileSource } from '#src/sources/files/file-source.ts'
import { systemLookup } from '#src/sources/names/lookup.ts'
import type { ControlPlaneStart, FromControlPlane, ToControlPlane } from '#src/workers/messages.ts'
import { ClusterDuties } from './cluster-duties.ts'
import { Controller } from './controller.ts'
import type { ControlPlaneSettings } from './settings.ts'

const beatMs = 500
const logLinesPerSecond = 200

// The thread of the control plane: everything that a Controller needs from its surroundings.
const port = parentPort as MessagePort
const start = workerData as ControlPlaneStart<ControlPlaneSettings>
const { settings, version, certificate, beat } = start

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

const { duties } = settings
const client = duties && (await createApiClient({ cluster: duties.cluster, userAgent: 'headgate' }))

const controller = new Controller({
  settings,
  version,
  certificate,
  createSource: (owner) => new FileSource({ folder: settings.files, owner }),
  lookup: systemLookup(new DnsResolver({ timeout: 2000, tries: 2 })),
  post,
  ...(duties !== undefined &&
    client !== undefined && {
      createDuties: (context) =>
        new ClusterDuties({
          ...context,
          client,
          settings: duties,
          log,
          onLeading: (leading) => {
            post({ kind: 'leading', leading })
          },
        }),
    }),
  log,
  now: Date.now,
})
if (duties !== undefined) post({ kind: 'leading', leading: false })

async function answer(id: number): Promise<void> {
  post({ kind: 'answer', id, text: await controller.metrics() })
}

/** What other replicas wait for is given back; the supervisor ends the thread. */
async function stop(): Promise<void> {
  await controller.stop().catch(() => undefined)
  post({ kind: 'stopped' })
}

port.on('message', (message: ToControlPlane) => {
  if (message.kind === 'query') void answer(message.id)
  else if (message.kind === 'settled') controller.settled(message.version)
  else void stop()
})

setInterval(() => {
  Atomics.add(beat, 0, 1)
}, beatMs)

try {
  await controller.start()
} catch (error) {
  post({ kind: 'failed', error: errorText(error) })
  throw error
}
