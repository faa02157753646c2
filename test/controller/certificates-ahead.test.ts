import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compile } from '#src/compile/compile.ts'
import type { CertificateReading } from '#src/compile/settings.ts'
import { CertificatesAhead } from '#src/controller/certificates-ahead.ts'
import type { AnyObject } from '#src/snapshot/objects.ts'
import { certificateReaders } from '#src/transport/certificate-readers.ts'
import { ingress, prefix, secret, snapshotOf, web } from '#test/compile/builders.ts'
import { fakeReaders, nowMs, readFakeCertificate, settings } from '#test/compile/compiling.ts'
import { issue } from '#test/transport/certificates.ts'

const sliceMs = 20

/** Reading takes as long as it is told, and others have their turn when the test lets them. */
function create(readMs = 0, read = readFakeCertificate) {
  const reads: { readonly atMs: number; readonly turn: number }[] = []
  let now = 0
  let turn = 0
  const ahead = new CertificatesAhead({
    read: (certificatePem, keyPem): CertificateReading => {
      reads.push({ atMs: now, turn })
      now += readMs
      return read(certificatePem, keyPem)
    },
    now: () => now,
    rest: async () => {
      turn++
      await Promise.resolve()
    },
  })
  return { ahead, reads }
}

const certificateOf = (name: string, text = `names ${name}.example until 2027-01-01`) =>
  secret(name, { 'tls.crt': text, 'tls.key': 'k' })
const many = (count: number) => Array.from({ length: count }, (_, i) => certificateOf(`s${i}`))

test('nothing is read in the turn of those who deliver, and no slice is longer than it may be', async () => {
  const { ahead, reads } = create(3)
  ahead.add(many(100))
  assert.deepEqual([reads.length, ahead.pending], [0, true])
  await ahead.done()
  assert.deepEqual([reads.length, ahead.pending], [100, false])
  for (const turn of new Set(reads.map((read) => read.turn))) {
    const times = reads.filter((read) => read.turn === turn).map(({ atMs }) => atMs)
    assert.ok((times.at(-1) ?? 0) - (times[0] ?? 0) < sliceMs)
  }
  assert.equal(new Set(reads.map(({ turn }) => turn)).size, Math.ceil(100 / Math.ceil(sliceMs / 3)))
})

test('what was read is not read again, whatever Secrets it is in, until it is forgotten', async () => {
  const { ahead, reads } = create()
  const text = 'names a.example until 2027-01-01'
  ahead.add([certificateOf('a', text), certificateOf('b', text), certificateOf('a', text)])
  await ahead.done()
  assert.deepEqual(ahead.read(text, 'k'), readFakeCertificate(text, 'k'))
  assert.equal(reads.length, 1)
  assert.equal(ahead.read(text, 'wrong').ok, false)
  // The same characters, parted elsewhere.
  assert.equal(ahead.read(text.slice(0, -1), `${text.slice(-1)}k`).ok, true)
  assert.equal(reads.length, 3)
  ahead.forget()
  ahead.read(text, 'k')
  assert.equal(reads.length, 4)
})

test('of a Secret that changes meanwhile the last one is read; other objects are not', async () => {
  const { ahead, reads } = create()
  ahead.add([certificateOf('a', 'names old.example until 2027-01-01')])
  ahead.add([certificateOf('a'), ...web, secret('auth', { auth: 'x' })])
  ahead.add([
    secret('half', { 'tls.crt': 'x' }),
    secret('empty', { 'tls.crt': 'x', 'tls.key': '' }),
  ])
  await ahead.done()
  assert.equal(reads.length, 1)
  ahead.read('names a.example until 2027-01-01', 'k')
  assert.equal(reads.length, 1)
})

test('what is forgotten while it waits is not read, and more may come', async () => {
  const { ahead, reads } = create()
  ahead.add(many(5))
  ahead.forget()
  await ahead.done()
  assert.equal(reads.length, 0)
  ahead.add(many(5))
  await ahead.done()
  assert.equal(reads.length, 5)
})

test('a fault while reading is left to the compiler', async () => {
  const { ahead } = create(0, () => {
    throw new Error('a fault')
  })
  ahead.add(many(2))
  await ahead.done()
  assert.throws(() => ahead.read('names s0.example until 2027-01-01', 'k'), /a fault/)
})

test('the table and the findings are the same with and without', async () => {
  const root = await issue({ commonName: 'Root', ca: true })
  const objects: AnyObject[] = [...web]
  for (let i = 0; i < 20; i++) {
    const host = `h${i}.example`
    const issued = await issue({ commonName: host, names: [host], issuer: root })
    const { certificatePem, keyPem } = issued
    const certificates = [certificatePem, root.certificatePem]
    const chain = (i % 4 === 1 ? certificates.toReversed() : certificates).join('\n')
    const key = i % 4 === 2 ? root.keyPem : keyPem
    const pem = i % 4 === 3 ? chain.replace('MII', 'AAA') : chain
    objects.push(secret(`s${i}`, { 'tls.crt': pem, 'tls.key': key }))
    const tls = [{ hosts: [host], secretName: `s${i}` }]
    objects.push(ingress(`i${i}`, { tls, hosts: { [host]: [prefix('/')] } }))
  }
  const { ahead, reads } = create(0, certificateReaders.readCertificate)
  ahead.add(objects)
  await ahead.done()
  const count = reads.length
  const compiled = (read: typeof ahead.read) =>
    compile(snapshotOf(objects), settings, { ...fakeReaders, readCertificate: read, nowMs })
  const expected = compiled(certificateReaders.readCertificate)
  assert.deepEqual(compiled(ahead.read), expected)
  assert.equal(expected.table.certificates.size, 10)
  assert.deepEqual([count, reads.length], [20, 20])
})
