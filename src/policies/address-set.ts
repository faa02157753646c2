import { BlockList, isIP } from 'node:net'
import { cidr } from '#src/annotations/names.ts'
import type { ValueType } from '#src/annotations/types.ts'

/** A set of addresses out of CIDRs that were checked before. IPv4 is compared without allocation. */
export class AddressSet {
  /** Network and mask in turn, as unsigned 32-bit numbers. */
  readonly #ipv4: number[] = []
  readonly #ipv6 = new BlockList()
  #ipv6Everyone = false

  constructor(cidrs: readonly string[]) {
    for (const text of cidrs) {
      const [address = '', bits] = text.split('/')
      if (isIP(address) === 4) this.#add4(address, Number(bits ?? 32))
      else if (bits === '0') this.#ipv6Everyone = true
      else this.#ipv6.addSubnet(address, Number(bits ?? 128), 'ipv6')
    }
  }

  #add4(address: string, bits: number): void {
    const mask = bits === 0 ? 0 : (-1 << (32 - bits)) >>> 0
    this.#ipv4.push((ipv4Number(address) & mask) >>> 0, mask)
  }

  has(address: string): boolean {
    if (address.includes(':')) {
      const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
      return mapped === undefined ? this.#has6(address) : this.has(mapped)
    }
    const number = ipv4Number(address)
    const ranges = this.#ipv4
    for (let i = 0; i < ranges.length; i += 2) {
      if ((number & (ranges[i + 1] as number)) >>> 0 === ranges[i]) return true
    }
    return false
  }

  #has6(address: string): boolean {
    return this.#ipv6Everyone || this.#ipv6.check(address, 'ipv6')
  }
}

function ipv4Number(address: string): number {
  let number = 0
  let part = 0
  for (let at = 0; at < address.length; at++) {
    const unit = address.charCodeAt(at)
    if (unit === 0x2e) {
      number = number * 256 + part
      part = 0
    } else {
      part = part * 10 + unit - 0x30
    }
  }
  return number * 256 + part
}

/**
 * Addresses and CIDRs between commas. As in ingress-nginx what is no address is left out, and said; a
 * list without any valid address is invalid.
 */
export const addressList: ValueType<readonly string[]> = {
  expects: 'a comma-separated list of addresses and CIDRs such as 10.0.0.0/8,2001:db8::/32',
  schema: {},
  parse(text) {
    const valid = partsOf(text).filter((part) => cidr.parse(part) !== undefined)
    return valid.length === 0 ? undefined : valid
  },
  format: (cidrs) => cidrs.join(','),
  warn(text) {
    const bad = partsOf(text).find((part) => cidr.parse(part) === undefined)
    return bad === undefined ? undefined : `${JSON.stringify(bad)} is no address and is left out`
  },
}

function partsOf(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}
