import { createServer } from 'node:net'
import { CommandError } from './command.ts'

/** A port to serve on, and the flag that says so. */
export interface WantedPort {
  readonly flag: string
  readonly port: number
}

const noFamily = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL'])

/**
 * The addresses to serve on: those given, or all of the machine, over IPv6 and IPv4 where it has
 * both. Ends with one clear line when a port cannot be had.
 *
 * Workers share their ports (SO_REUSEPORT), and so would a second instance without anybody noticing.
 * So each port is first opened alone.
 */
export async function chooseAddresses(
  given: readonly string[] | undefined,
  ports: readonly WantedPort[],
): Promise<readonly string[]> {
  if (given !== undefined) {
    for (const address of new Set(given)) await checkPorts(address, ports)
    return [...new Set(given)]
  }
  if (noFamily.has(await tryListen('::', 0))) {
    await checkPorts('0.0.0.0', ports)
    return ['0.0.0.0']
  }
  await checkPorts('::', ports)
  return ['::']
}

async function checkPorts(address: string, ports: readonly WantedPort[]): Promise<void> {
  for (const { flag, port } of ports) {
    if (port === 0) continue
    const code = await tryListen(address, port)
    if (code !== '') throw new CommandError(listenFailure(address, port, { flag, code }))
  }
}

const causes: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is in use',
  EACCES: 'this user may not open the port',
  EADDRNOTAVAIL: 'this machine does not have the address',
  EAFNOSUPPORT: 'this machine does not have this kind of address',
}

/** One line that says which port could not be opened, and why. */
export function listenFailure(
  address: string,
  port: number,
  { flag, code }: { readonly flag: string; readonly code: string },
): string {
  const place = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
  return `cannot listen on ${place} (--${flag}): ${causes[code] ?? code}`
}

/** '' when the port could be opened, else the code of the error. */
async function tryListen(address: string, port: number): Promise<string> {
  const server = createServer()
  return await new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code ?? error.message)
    })
    server.listen({ host: address, port, exclusive: true }, () => {
      server.close(() => {
        resolve('')
      })
    })
  })
}
