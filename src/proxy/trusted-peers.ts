import { BlockList, isIP } from 'node:net'

/** The peers whose forwarding headers count, as a set of CIDRs. */
export class TrustedPeers {
  readonly #list = new BlockList()
  #everyone4 = false
  #everyone6 = false

  /** `cidrs` are addresses or CIDRs, checked by the compiler; others are left out. */
  constructor(cidrs: readonly string[]) {
    for (const cidr of cidrs) this.#add(cidr)
  }

  has(address: string): boolean {
    const version = isIP(address)
    if (version === 0) return false
    if (version === 4) return this.#everyone4 || this.#list.check(address, 'ipv4')
    // 0.0.0.0/0 alone is ingress-nginx's default and means everybody there, too.
    return this.#everyone6 || this.#everyone4 || this.#list.check(address, 'ipv6')
  }

  #add(cidr: string): void {
    const [address = '', bits] = cidr.split('/')
    const version = isIP(address)
    if (version === 0) return
    const widest = version === 4 ? 32 : 128
    const prefix = bits === undefined ? widest : Number(bits)
    if (prefix === 0) {
      if (version === 4) this.#everyone4 = true
      else this.#everyone6 = true
      return
    }
    this.#list.addSubnet(address, prefix, version === 4 ? 'ipv4' : 'ipv6')
  }
}
