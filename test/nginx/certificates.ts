import { issue, revoke } from '#test/transport/certificates.ts'
import type { Issued } from '#test/transport/certificates.ts'

const authority = await issue({ commonName: 'Compared Root', ca: true })
const between = await issue({ commonName: 'Compared Between', ca: true, issuer: authority })
const second = await issue({ commonName: 'Compared Second', ca: true, issuer: between })
const deep = await issue({ commonName: 'deep', issuer: between })
const revoked = await issue({ commonName: 'revoked', issuer: authority })

/** Who is who in the comparisons. */
export const issued = {
  authority,
  /** For all hosts that a client asks for. */
  server: await issue({ commonName: 'Compared', names: ['*.example'], issuer: authority }),
  /** Of upstreams that speak TLS. */
  upstream: await issue({ commonName: 'in', names: ['in.example'], issuer: authority }),
  deepUpstream: chained(
    await issue({ commonName: 'deep', names: ['in.example'], issuer: between }),
    [between],
  ),
  deeperUpstream: chained(
    await issue({ commonName: 'deeper', names: ['in.example'], issuer: second }),
    [second, between],
  ),
  alice: await issue({ commonName: 'alice', organization: 'Wonder', issuer: authority }),
  deep: chained(deep, [between]),
  stranger: await issue({ commonName: 'stranger' }),
  revoked,
}

function chained(one: Issued, above: readonly Issued[]): Issued {
  const certificatePem = [one, ...above].map((each) => each.certificatePem).join('\n')
  return { ...one, certificatePem }
}

export const revocations = await revoke(authority, [revoked])
