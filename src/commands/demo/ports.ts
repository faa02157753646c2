import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo, Server } from 'node:net'

/** A port to serve on, and whether it is the one that was wished for. */
export interface ChosenPort {
  readonly port: number
  readonly wished: number
}

/** For each wish a port of 127.0.0.1 that is free now: the wished one, or any where that is taken. */
export async function freePorts<Name extends string>(
  wishes: Readonly<Record<Name, number>>,
): Promise<Record<Name, ChosenPort>> {
  const held: Server[] = []
  const chosen: Partial<Record<Name, ChosenPort>> = {}
  for (const name of Object.keys(wishes) as Name[]) {
    const server = (await hold(wishes[name])) ?? (await hold(0))
    if (server === undefined) throw new Error('no port of 127.0.0.1 can be opened')
    held.push(server)
    chosen[name] = { port: (server.address() as AddressInfo).port, wished: wishes[name] }
  }
  // Closed together, so that no two wishes get the same port.
  for (const server of held) server.close()
  return chosen as Record<Name, ChosenPort>
}

async function hold(port: number): Promise<Server | undefined> {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return server
  } catch {
    return undefined
  }
}
