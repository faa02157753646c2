import { getSystemErrorMessage, getSystemErrorName } from 'node:util'

/** Why a port cannot be served, in one line. `status` is a negative error number. */
export function listenError(address: string, port: number, status: number): Error {
  const place = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
  const code = getSystemErrorName(status)
  const message = `cannot listen on ${place}: ${getSystemErrorMessage(status)} (${code})`
  return Object.assign(new Error(message), { code })
}

/** An address of IPv6 on a machine without it; `::` then means every address of IPv4. */
export function lacksIpv6(address: string, code: string): boolean {
  return address === '::' && (code === 'EAFNOSUPPORT' || code === 'EADDRNOTAVAIL')
}
