const lists = new WeakMap<readonly string[], Buffer>()

/** Protocol names in the form of RFC 7301 3.1: each behind its length. Kept as long as the array is. */
export function alpnList(protocols: readonly string[]): Buffer {
  let list = lists.get(protocols)
  if (list === undefined) {
    list = Buffer.concat(
      protocols.map((name) => Buffer.concat([Buffer.of(name.length), Buffer.from(name, 'latin1')])),
    )
    lists.set(protocols, list)
  }
  return list
}
