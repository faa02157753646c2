/**
 * The entry for an SNI: that of the name itself, else that of the wildcard for its first label
 * (RFC 6125 6.4.3: `*.example.com` covers `a.example.com`, not `example.com` or `a.b.example.com`),
 * else that of ''. Keys of the map are in lower case; the name may be in any case, with or without final dot.
 */
export function chooseCertificate<Entry>(
  serverName: string,
  byName: ReadonlyMap<string, Entry>,
): Entry | undefined {
  const name = serverName.toLowerCase()
  const bare = name.endsWith('.') ? name.slice(0, -1) : name
  const exact = bare === '' ? undefined : byName.get(bare)
  if (exact !== undefined) return exact
  const dot = bare.indexOf('.')
  const wildcard = dot > 0 ? byName.get(`*${bare.slice(dot)}`) : undefined
  return wildcard ?? byName.get('')
}
