import type { AddressInfo, ListenOptions, Server } from 'node:net'

/** Rejects when the address cannot be listened on. Gives the port. */
export async function listenOn(server: Server, options: ListenOptions): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options, () => {
      server.off('error', reject)
      resolve()
    })
  })
  return (server.address() as AddressInfo).port
}

/** Stops listening, and closes every connection at once. */
export async function closeAtOnce(server: Server & { closeAllConnections(): void }): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => {
      resolve()
    })
    server.closeAllConnections()
  })
}
