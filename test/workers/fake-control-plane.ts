import { BroadcastChannel, parentPort, workerData } from 'node:worker_threads'
import type { ControlPlaneStart, FromControlPlane, ToControlPlane } from '#src/workers/messages.ts'
import { hear, say } from './channel.ts'

/** What a test tells the control plane. */
export type ControlPlaneCommand =
  { readonly post: FromControlPlane } | { readonly do: 'crash' | 'exhaust-heap' | 'be-silent' }

/** What it tells the test. */
export type ControlPlaneReport =
  | { readonly started: Pick<ControlPlaneStart<unknown>, 'version' | 'certificate'> }
  | { readonly received: ToControlPlane }
  | { readonly silent: true }

// A control plane that does as it is told over a channel, for tests of the process around it.
const { settings, version, certificate, beat } = workerData as ControlPlaneStart<{
  channel: string
}>
const channel = new BroadcastChannel(settings.channel)
let silent = false

setInterval(() => {
  Atomics.add(beat, 0, 1)
}, 100)

function post(message: FromControlPlane): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- not a window
  parentPort?.postMessage(message)
}

function report(message: ControlPlaneReport): void {
  say(channel, message)
}

hear<ControlPlaneCommand>(channel, (command) => {
  if ('post' in command) {
    post(command.post)
    return
  }
  switch (command.do) {
    case 'crash':
      throw new Error('crashed by the test')
    case 'be-silent':
      silent = true
      report({ silent })
      break
    case 'exhaust-heap': {
      const heap: unknown[] = []
      for (;;) heap.push(Array.from({ length: 1000 }, (_, i) => ({ i })))
    }
  }
})

parentPort?.on('message', (message: ToControlPlane) => {
  if (message.kind === 'query' && !silent) {
    post({ kind: 'answer', id: message.id, text: `answer to ${message.query}` })
  }
  report({ received: message })
})

report({ started: { version, certificate } })
