import { BroadcastChannel } from 'node:worker_threads'
import { DataPlane as RealDataPlane } from '#src/proxy/data-plane.ts'
import type { DataPlaneOptions } from '#src/workers/data-plane-options.ts'
import { hear } from './channel.ts'

/** What a test does to one worker. */
export interface WorkerCommand {
  readonly writer: number
  readonly do: 'crash' | 'stall'
}

const channel = new BroadcastChannel(new URL(import.meta.url).searchParams.get('channel') ?? '')

/** The product's data plane, which a test can end or hold up from outside. */
export class DataPlane extends RealDataPlane {
  constructor(options: DataPlaneOptions) {
    super(options)
    hear<WorkerCommand>(channel, (command) => {
      if (command.writer !== options.writer) return
      if (command.do === 'crash') throw new Error('crashed by the test')
      for (;;);
    })
  }
}
