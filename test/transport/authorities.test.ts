import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readAuthorities, splitLists } from '#src/transport/authorities.ts'
import { issue, revoke } from './certificates.ts'

const root = await issue({ commonName: 'Root', ca: true })
const other = await issue({ commonName: 'Other', ca: true })
const leaf = await issue({ commonName: 'leaf', issuer: root })
const list = await revoke(root, [leaf])
const lists = `# revoked\r\n${list}\n${await revoke(other, [])}`
const both = `# ours\r\n${root.certificatePem}\n${other.certificatePem}`

test('CA certificates and revocation lists are read, whatever stands around them', () => {
  const reading = readAuthorities(both, lists)
  assert.ok(reading.ok, JSON.stringify(reading))
  assert.equal(reading.caPem, `${root.certificatePem}\n${other.certificatePem}\n`)
  assert.equal(splitLists(reading.crlPem).length, 2)
  assert.equal(splitLists(reading.crlPem)[0], list)
})

test('the fingerprint changes with either, and with nothing else', () => {
  assert.equal(fingerprintOf(both, lists), fingerprintOf(`${both}\n\n`, `${lists}\n# end`))
  const all = [
    fingerprintOf(both, ''),
    fingerprintOf(both, list),
    fingerprintOf(both, lists),
    fingerprintOf(root.certificatePem, ''),
  ]
  assert.equal(new Set(all).size, 4)
})

const broken = '-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n'
const refused: readonly (readonly [what: string, ca: string, crl: string, error: RegExp])[] = [
  ['no certificate', '', '', /has no PEM block CERTIFICATE/],
  ['a key in place of a certificate', leaf.keyPem, '', /has no PEM block CERTIFICATE/],
  ['a cut certificate', root.certificatePem.slice(0, -20), '', /ends within a block/],
  ['a certificate in place of a list', both, root.certificatePem, /PEM block CERTIFICATE, where/],
  ['text in place of a list', both, 'nothing', /has no PEM block X509 CRL/],
  ['a list that is none', both, broken, /cannot be used: /],
]
for (const [what, ca, crl, error] of refused) {
  test(`refused: ${what}`, () => {
    const reading = readAuthorities(ca, crl)
    assert.ok(!reading.ok)
    assert.match(reading.error, error)
  })
}

function fingerprintOf(ca: string, crl: string): string {
  const reading = readAuthorities(ca, crl)
  assert.ok(reading.ok, JSON.stringify(reading))
  return reading.fingerprint
}
