import { isIP } from 'node:net'

/** The addresses that a PROXY header names. */
export interface ProxiedPeer {
  readonly address: string
  readonly port: number
  readonly localAddress: string
  readonly localPort: number
}

/**
 * The PROXY header of version 1 for a client, with its line end; `UNKNOWN` where one of the addresses is
 * not known or they are of two families (HAProxy, doc/proxy-protocol.txt 2.1).
 */
export function proxyHeaderText({ address, port, localAddress, localPort }: ProxiedPeer): string {
  const family = isIP(address)
  if (family === 0 || family !== isIP(localAddress)) return 'PROXY UNKNOWN\r\n'
  return `PROXY TCP${family} ${address} ${localAddress} ${port} ${localPort}\r\n`
}
