import { parentPort, workerData } from 'node:worker_threads'
import { createTransport } from '#src/transport/select.ts'
import type { Listener } from '#src/transport/transport.ts'

/** A worker that listens on a shared port and answers every connection with its number. */
export async function serve(port: number, number: number): Promise<void> {
  const transport = await createTransport()
  const listener: Listener = await transport.listen({
    address: '127.0.0.1',
    port,
    reusePort: true,
    backlog: 511,
    onConnection: (connection) => {
      connection.writeText(`${transport.name} ${number}`)
      connection.end()
      connection.handler = {
        onData: () => undefined,
        onEnd: () => undefined,
        onDrain: () => undefined,
        onClose: () => undefined,
      }
      connection.resume()
    },
  })
  parentPort?.postMessage(listener.port)
  parentPort?.once('message', () => {
    void listener.close().then(() => parentPort?.close())
  })
}

const order = workerData as { readonly echoPort?: number; readonly number?: number } | null
if (order?.echoPort !== undefined) await serve(order.echoPort, order.number ?? 0)
