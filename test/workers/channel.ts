import type { BroadcastChannel } from 'node:worker_threads'

/** Calls back for every message of a channel between threads. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- what a channel carries has no type
export function hear<Message>(
  channel: BroadcastChannel,
  callback: (message: Message) => void,
): void {
  channel.addEventListener('message', (event) => {
    callback((event as unknown as { data: Message }).data)
  })
}

export function say(channel: BroadcastChannel, message: unknown): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- not a window
  channel.postMessage(message)
}
