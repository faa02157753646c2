import { connect } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'

/** What became of the connections of one storm. */
export interface StormResult {
  answered: number
  /** Not connected: refused, or given up by us while the kernel did not answer. */
  refused: number
  /** Connected and cut without an answer. */
  lost: number
}

/** Opens connections without pause, some at a time, and tells when the first was answered and how it ended. */
export function run(port: number, atOnce: number): void {
  const result: StormResult = { answered: 0, refused: 0, lost: 0 }
  let running = 0
  const open = (): void => {
    running++
    let connected = false
    let done = false
    const finish = (outcome: keyof StormResult): void => {
      if (done) return
      done = true
      result[outcome]++
      running--
      socket.destroy()
      if (outcome === 'answered') {
        if (result.answered === 100) parentPort?.postMessage('going')
        open()
      } else if (running === 0) {
        parentPort?.postMessage(result)
      }
    }
    const socket = connect(port, '127.0.0.1', () => {
      connected = true
      socket.write('ping')
    })
    socket.setTimeout(5000, () => {
      finish(connected ? 'lost' : 'refused')
    })
    socket.on('data', () => {
      finish('answered')
    })
    for (const event of ['error', 'end', 'close']) {
      socket.on(event, () => {
        finish(connected ? 'lost' : 'refused')
      })
    }
  }
  for (let i = 0; i < atOnce; i++) open()
}

const order = workerData as { readonly stormPort?: number; readonly atOnce?: number } | null
if (order?.stormPort !== undefined) run(order.stormPort, order.atOnce ?? 1)
