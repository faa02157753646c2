import 'reflect-metadata'
import assert from 'node:assert/strict'
import { X509Certificate, createPrivateKey, webcrypto } from 'node:crypto'
import { test } from 'node:test'
import {
  X509Certificate as IndependentReader,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'
import fc from 'fast-check'
import { readCertificate } from '#src/transport/certificate.ts'
import { chooseCertificate } from '#src/transport/choose-certificate.ts'
import { createSelfSignedCertificate, defaultCertificateName } from '#src/transport/self-signed.ts'
import { issue } from './certificates.ts'

const root = await issue({ commonName: 'Root', ca: true })
const intermediate = await issue({ commonName: 'Intermediate', ca: true, issuer: root })
const leaf = await issue({
  commonName: 'ignored.test',
  names: ['Shop.Test', '*.shop.test', 'shop.test'],
  addresses: ['192.0.2.1'],
  issuer: intermediate,
})
const stranger = await issue({ commonName: 'Only.By.Name' })

function readGood(
  certificatePem: string,
  keyPem: string,
): Extract<ReturnType<typeof readCertificate>, { ok: true }> {
  const reading = readCertificate(certificatePem, keyPem)
  assert.ok(reading.ok, JSON.stringify(reading))
  return reading
}

const chain = [leaf, intermediate, root].map(({ certificatePem }) => `${certificatePem}\n`).join('')

test('a chain with its key is read', () => {
  const reading = readGood(chain, leaf.keyPem)
  assert.equal(reading.certificatePem, chain)
  assert.deepEqual(reading.names, ['shop.test', '*.shop.test', '192.0.2.1'])
  assert.equal(reading.notAfterMs, leaf.certificate.notAfter.getTime())
  assert.equal(reading.notBeforeMs, leaf.certificate.notBefore.getTime())
  assert.match(reading.fingerprint, /^[0-9a-f]{64}$/)
  assert.deepEqual(reading.warnings, [])
})

const spellings: [string, string][] = [
  ['CRLF', chain.replaceAll('\n', '\r\n')],
  ['CR', chain.replaceAll('\n', '\r')],
  [
    'text around the blocks',
    `Bag Attributes\n  friendlyName: x\n${chain.replaceAll('-----BEGIN', '# next\n-----BEGIN')}end`,
  ],
  ['spaces at the ends of lines', chain.replaceAll('\n', '  \n')],
  ['no line end at the end', chain.trimEnd()],
  ['empty lines within', chain.replaceAll('-----\n', '-----\n\n')],
]
for (const [what, pem] of spellings) {
  test(`PEM with ${what} is the same certificate`, () => {
    const { warnings, fingerprint, certificatePem } = readGood(pem, leaf.keyPem)
    assert.deepEqual(warnings, [])
    assert.equal(certificatePem, chain)
    assert.equal(fingerprint, readGood(chain, leaf.keyPem).fingerprint)
  })
}

test('a chain in another order is put in order, with a warning', () => {
  for (const order of [
    [root, intermediate, leaf],
    [intermediate, leaf, root],
    [leaf, root, intermediate],
  ]) {
    const reading = readGood(
      order.map(({ certificatePem }) => certificatePem).join('\n'),
      leaf.keyPem,
    )
    assert.equal(reading.certificatePem, chain)
    assert.match(reading.warnings.join(), /not in order/)
  }
})

test('a certificate outside the chain is kept behind it, with a warning', () => {
  const reading = readGood(`${stranger.certificatePem}\n${chain}`, leaf.keyPem)
  assert.equal(reading.certificatePem, `${chain}${stranger.certificatePem}\n`)
  assert.match(reading.warnings.join(), /1 certificate\(s\) do not belong/)
})

test('an issuer counts by its key and not by its name alone, whatever was read before', async () => {
  const lookalike = await issue({ commonName: 'Root', ca: true })
  const [right, wrong] = [root, lookalike].map((last) =>
    [leaf, intermediate, last].map(({ certificatePem }) => `${certificatePem}\n`).join(''),
  ) as [string, string]
  for (let round = 0; round < 3; round++) {
    assert.deepEqual(readGood(right, leaf.keyPem).warnings, [])
    const both = readGood(`${wrong}${root.certificatePem}\n`, leaf.keyPem)
    assert.equal(both.certificatePem, `${right}${lookalike.certificatePem}\n`)
    assert.match(readGood(wrong, leaf.keyPem).warnings.join(), /1 certificate\(s\) do not belong/)
  }
})

test('the fingerprint changes with the chain', () => {
  assert.notEqual(
    readGood(chain, leaf.keyPem).fingerprint,
    readGood(leaf.certificatePem, leaf.keyPem).fingerprint,
  )
})

test('without alternative names the common name counts', () => {
  assert.deepEqual(readGood(stranger.certificatePem, stranger.keyPem).names, ['only.by.name'])
})

test('keys of all usual forms are read', () => {
  const key = createPrivateKey(leaf.keyPem)
  const sec1 = key.export({ type: 'sec1', format: 'pem' })
  const parameters =
    '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n'
  for (const pem of [leaf.keyPem, sec1, parameters + sec1, `${chain}${leaf.keyPem}`]) {
    assert.equal(readGood(chain, pem).keyPem, key.export({ type: 'pkcs8', format: 'pem' }))
  }
})

const encrypted = createPrivateKey(leaf.keyPem).export({
  type: 'pkcs8',
  format: 'pem',
  cipher: 'aes-256-cbc',
  passphrase: 'secret',
})
const legacyEncrypted = `-----BEGIN RSA PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: AES-256-CBC,00

AAAA
-----END RSA PRIVATE KEY-----
`
const refusals: [string, string, string, RegExp][] = [
  ['no certificate', '', leaf.keyPem, /^the certificate has no PEM block CERTIFICATE$/],
  ['a key for a certificate', leaf.keyPem, leaf.keyPem, /no PEM block CERTIFICATE/],
  ['no key', chain, '', /^the key has no PEM block PRIVATE KEY$/],
  ['a certificate for a key', chain, chain, /the key has no PEM block/],
  ['another key', chain, stranger.keyPem, /^the key does not belong to the certificate$/],
  ['an encrypted key', chain, encrypted, /encrypted with a password/],
  ['an encrypted key of old', chain, legacyEncrypted, /encrypted with a password/],
  ['a broken key', chain, leaf.keyPem.replace('MIG', 'AAA'), /of the key is no private key$/],
  [
    'a broken certificate',
    chain.replace(/MII/, 'AAA'),
    leaf.keyPem,
    /in line 1 of the certificate/,
  ],
  [
    'a broken second certificate',
    `${leaf.certificatePem}\n${intermediate.certificatePem.replace(/MII/, 'AAA')}`,
    leaf.keyPem,
    /in line \d\d of the certificate/,
  ],
  ['a block without end', chain.slice(0, -40), leaf.keyPem, /ends within a block CERTIFICATE/],
  ['an end without beginning', chain.slice(30), leaf.keyPem, /unexpected END in line \d+/],
  [
    'a block within a block',
    chain.replace('-----END CERTIFICATE-----\n', ''),
    leaf.keyPem,
    /unexpected BEGIN/,
  ],
  [
    'too many certificates',
    `${leaf.certificatePem}\n`.repeat(33),
    leaf.keyPem,
    /33 PEM blocks, more than 32/,
  ],
]
for (const [what, certificatePem, keyPem, error] of refusals) {
  test(`refused: ${what}`, () => {
    const reading = readCertificate(certificatePem, keyPem)
    assert.equal(reading.ok, false)
    assert.match(reading.error, error)
  })
}

test('no error shows key material, whatever is given', () => {
  const secrets = leaf.keyPem.split('\n').slice(1, -1)
  fc.assert(
    fc.property(fc.nat(leaf.keyPem.length), fc.string({ maxLength: 5 }), (at, junk) => {
      const keyPem = leaf.keyPem.slice(0, at) + junk + leaf.keyPem.slice(at + 3)
      for (const reading of [readCertificate(chain, keyPem), readCertificate(keyPem, keyPem)]) {
        if (reading.ok) continue
        for (const secret of secrets) assert.ok(!reading.error.includes(secret.slice(0, 12)))
      }
    }),
    { numRuns: 200 },
  )
})

test('keys that OpenSSL takes for weak are refused in its words, whatever was read before', async () => {
  const weak = await weakCertificate()
  for (const before of [stranger, leaf]) {
    readGood(before.certificatePem, before.keyPem)
    assert.deepEqual(readCertificate(weak.certificatePem, weak.keyPem), {
      ok: false,
      error: 'the certificate cannot be used: ee key too small',
    })
    const behind = readCertificate(
      `${before.certificatePem}\n${weak.certificatePem}`,
      before.keyPem,
    )
    assert.deepEqual(behind, {
      ok: false,
      error: 'the certificate cannot be used: ca key too small',
    })
  }
})

test('the default certificate is what it says', async () => {
  const { certificatePem, keyPem } = await createSelfSignedCertificate({
    commonName: defaultCertificateName,
    names: ['ingress.local'],
    notBefore: new Date('2026-01-01T00:00:00Z'),
    notAfter: new Date('2027-01-01T00:00:00Z'),
  })
  const reading = readGood(certificatePem, keyPem)
  assert.deepEqual(reading.names, ['ingress.local'])
  assert.equal(reading.notAfterMs, Date.UTC(2027, 0, 1))
  const certificate = new X509Certificate(certificatePem)
  assert.equal(certificate.subject, `CN=${defaultCertificateName}`)
  assert.equal(certificate.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1')
  assert.ok(certificate.verify(certificate.publicKey))
  const other = await createSelfSignedCertificate({
    commonName: 'x',
    names: [],
    notBefore: new Date(0),
    notAfter: new Date(1e12),
  })
  assert.notEqual(other.keyPem, keyPem)
})

const written = [
  { commonName: 'Zoë', names: ['a.test'], notAfter: '2049-12-31T23:59:59.000Z' },
  {
    commonName: 'n'.repeat(64),
    names: ['*.a.test', 'b.test'],
    notAfter: '2050-01-01T00:00:00.000Z',
  },
  // Lengths of one byte, of two and of three.
  { commonName: 'x', names: many(8), notAfter: '2027-01-01T00:00:00.000Z' },
  { commonName: 'x', names: many(1200), notAfter: '2027-01-01T00:00:00.000Z' },
]
for (const { commonName, names, notAfter } of written) {
  test(`what is signed by itself is DER: ${commonName}, ${names.length} names, ${notAfter}`, async () => {
    const validity = { notBefore: new Date('2026-01-01T00:00:00Z'), notAfter: new Date(notAfter) }
    const made = await createSelfSignedCertificate({ commonName, names, ...validity })
    const read = new IndependentReader(made.certificatePem)
    assert.equal(read.subject, `CN=${commonName}`)
    assert.equal(read.issuer, read.subject)
    assert.equal(read.notBefore.toISOString(), '2026-01-01T00:00:00.000Z')
    assert.equal(read.notAfter.toISOString(), notAfter)
    assert.match(read.serialNumber, /^[4-7][0-9a-f]{31}$/)
    const alternatives = read.getExtension(SubjectAlternativeNameExtension)?.names.toJSON()
    assert.deepEqual(
      alternatives,
      names.map((value) => ({ type: 'dns', value })),
    )
    const identifier = await SubjectKeyIdentifierExtension.create(read.publicKey)
    assert.equal(read.getExtension(SubjectKeyIdentifierExtension)?.keyId, identifier.keyId)
    assert.deepEqual(
      Array.from(read.extensions, ({ type, critical }) => [type, critical]),
      [
        ['2.5.29.19', true],
        ['2.5.29.15', true],
        ['2.5.29.37', false],
        ['2.5.29.14', false],
        ['2.5.29.17', false],
      ],
    )
    assert.ok(await read.verify())
  })
}

function many(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `host-${i}.example.test`)
}

const byName = new Map([
  ['a.test', 'exact'],
  ['*.a.test', 'wildcard'],
  ['b.a.test', 'closer'],
  ['', 'default'],
])
const choices: [string, string][] = [
  ['a.test', 'exact'],
  ['A.TEST', 'exact'],
  ['a.test.', 'exact'],
  ['x.a.test', 'wildcard'],
  ['X.A.test', 'wildcard'],
  ['b.a.test', 'closer'],
  ['x.b.a.test', 'default'],
  ['.a.test', 'default'],
  ['*.a.test', 'wildcard'],
  ['other', 'default'],
  ['', 'default'],
  ['.', 'default'],
]
for (const [serverName, expected] of choices) {
  test(`the certificate for '${serverName}' is the ${expected} one`, () => {
    assert.equal(chooseCertificate(serverName, byName), expected)
  })
}

test('without a default there is none for other names', () => {
  assert.equal(chooseCertificate('other', new Map([['a.test', 1]])), undefined)
})

/** A self-signed certificate for an RSA key of 1024 bits. */
async function weakCertificate(): Promise<{ certificatePem: string; keyPem: string }> {
  const algorithm = {
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    modulusLength: 1024,
    publicExponent: new Uint8Array([1, 0, 1]),
  }
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=weak',
    notBefore: new Date(Date.now() - 1000),
    notAfter: new Date(Date.now() + 1e9),
    signingAlgorithm: algorithm,
    keys,
  })
  const der = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)
  return {
    certificatePem: certificate.toString('pem'),
    keyPem: PemConverter.encode(der, 'PRIVATE KEY'),
  }
}
