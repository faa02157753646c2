import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { CertificateFiles } from '#src/admission/certificate-files.ts'
import { ManagedCertificate } from '#src/admission/managed-certificate.ts'
import { namesOf } from '#src/admission/webhook-configuration.ts'
import type { ServingCertificate } from '#src/admission/webhook-server.ts'
import { createAuthority, issueCertificate } from '#src/transport/authority.ts'
import { FakeApi, apiError, surroundings } from '#test/feedback/fake-api.ts'

const dayMs = 24 * 3_600_000
const startMs = Date.UTC(2026, 10, 29)

interface StoredSecret {
  readonly metadata: { readonly resourceVersion: string }
  readonly data: Readonly<Record<string, string>>
}

/** A cluster with a webhook's configuration, and a Secret once somebody writes one. */
function stage() {
  const around = surroundings()
  const api = new FakeApi()
  const cluster = {
    secret: undefined as StoredSecret | undefined,
    caBundle: '',
    service: { namespace: 'ops', name: 'headgate' },
    version: 0,
  }
  api.answer = ({ method, path, body }) => {
    if (path.includes('validatingwebhookconfigurations')) {
      if (method === 'PATCH') {
        const { webhooks } = body as { webhooks: [{ clientConfig: { caBundle: string } }] }
        cluster.caBundle = webhooks[0].clientConfig.caBundle
      }
      const { caBundle, service } = cluster
      return { webhooks: [{ name: 'ingress.headgate.dev', clientConfig: { service, caBundle } }] }
    }
    if (method === 'GET') {
      if (cluster.secret === undefined) throw apiError(404)
      return cluster.secret
    }
    const sent = body as StoredSecret
    const version = String(cluster.version)
    const fits =
      method === 'POST' ? cluster.secret === undefined : sent.metadata.resourceVersion === version
    if (!fits) throw apiError(409)
    cluster.version++
    const resourceVersion = String(cluster.version)
    cluster.secret = { ...sent, metadata: { ...sent.metadata, resourceVersion } }
    return cluster.secret
  }
  let nowMs = startMs
  const replica = (leading: boolean) => {
    const shown: ServingCertificate[] = []
    const managed = new ManagedCertificate({
      client: api,
      secret: { namespace: 'ops', name: 'headgate-webhook' },
      configuration: 'headgate',
      leading: () => leading,
      wallClock: () => nowMs,
      log: around.options.log,
      onCertificate: (certificate) => shown.push(certificate),
    })
    return { managed, shown }
  }
  const trusted = (): string => Buffer.from(cluster.caBundle, 'base64').toString('utf8')
  return {
    ...around,
    api,
    cluster,
    replica,
    trusted,
    passDays: (days: number) => (nowMs += days * dayMs),
  }
}

function authoritiesIn(bundle: string): X509Certificate[] {
  return (bundle.match(/-----BEGIN[^-]*-----[^-]*-----END[^-]*-----/g) ?? []).map(
    (pem) => new X509Certificate(pem),
  )
}

function isTrusted(certificate: ServingCertificate | undefined, bundle: string): boolean {
  const leaf = new X509Certificate(certificate?.certificatePem ?? '')
  return authoritiesIn(bundle).some((authority) => leaf.verify(authority.publicKey))
}

test('the leader makes a certificate for the Service; others serve it; the API server trusts it', async () => {
  const { replica, cluster, trusted, api } = stage()
  const follower = replica(false)
  await follower.managed.look()
  assert.equal(follower.shown.length, 0)
  const leader = replica(true)
  await leader.managed.look()
  await follower.managed.look()
  assert.deepEqual(follower.shown, leader.shown)
  const leaf = new X509Certificate(leader.shown[0]?.certificatePem ?? '')
  assert.equal(leaf.checkHost('headgate.ops.svc'), 'headgate.ops.svc')
  assert.ok(isTrusted(leader.shown[0], trusted()))
  assert.equal(authoritiesIn(trusted())[0]?.ca, true)
  assert.deepEqual(Object.keys(cluster.secret?.data ?? {}).toSorted(), [
    'ca.crt',
    'ca.key',
    'tls.crt',
    'tls.key',
  ])
  const asked = api.requests.length
  await leader.managed.look()
  assert.deepEqual(
    api.requests.slice(asked).map(({ method }) => method),
    ['GET', 'GET'],
  )
  assert.equal(leader.shown.length, 1)
})

test('a certificate is renewed in time, by the same authority', async () => {
  const { replica, trusted, passDays } = stage()
  const { managed, shown } = replica(true)
  await managed.look()
  const before = trusted()
  passDays(59)
  await managed.look()
  assert.equal(shown.length, 1)
  passDays(2)
  await managed.look()
  assert.equal(shown.length, 2)
  assert.equal(trusted(), before)
})

test('an authority is renewed in time, and the one before is trusted on', async () => {
  const { replica, trusted, passDays } = stage()
  const { managed, shown } = replica(true)
  await managed.look()
  passDays(4 * 365)
  await managed.look()
  assert.equal(authoritiesIn(trusted()).length, 2)
  assert.ok(isTrusted(shown[0], trusted()))
  assert.ok(isTrusted(shown[1], trusted()))
})

test('another name of the Service makes another certificate', async () => {
  const { replica, cluster } = stage()
  const { managed, shown } = replica(true)
  await managed.look()
  cluster.service = { namespace: 'edge', name: 'headgate' }
  await managed.look()
  const leaf = new X509Certificate(shown[1]?.certificatePem ?? '')
  assert.equal(leaf.checkHost('headgate.edge.svc'), 'headgate.edge.svc')
})

test('a Secret that holds nothing of use is made good, and what else is in it stays', async () => {
  const { replica, cluster } = stage()
  const data = { 'tls.crt': 'bm9uc2Vuc2U=', other: 'eA==' }
  cluster.secret = { metadata: { resourceVersion: '0' }, data }
  const { managed, shown } = replica(true)
  await managed.look()
  assert.equal(shown.length, 1)
  assert.equal(cluster.secret.data['other'], 'eA==')
})

test('of two that write at once the later takes what the earlier wrote', async () => {
  const { replica, api, cluster } = stage()
  const [a, b] = [replica(true), replica(true)]
  const answer = api.answer
  let raced = false
  api.answer = (request) => {
    if (request.method === 'POST' && !raced) {
      raced = true
      answer(request)
      throw apiError(409)
    }
    return answer(request)
  }
  await a.managed.look()
  assert.equal(a.shown.length, 0)
  await a.managed.look()
  await b.managed.look()
  assert.deepEqual(a.shown, b.shown)
  assert.equal(cluster.version, 1)
})

test('a configuration that is missing or calls nobody is said', async () => {
  const { replica, api } = stage()
  const { managed } = replica(true)
  api.answer = () => ({ webhooks: [] })
  await assert.rejects(managed.look(), /ValidatingWebhookConfiguration headgate names no service/)
  assert.deepEqual(namesOf({ webhooks: [{ clientConfig: { url: 'https://127.0.0.1:9443/x' } }] }), [
    '127.0.0.1',
  ])
})

function filesStage(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-test-'))
  const [certificateFile, keyFile] = [join(folder, 'tls.crt'), join(folder, 'tls.key')]
  const { options, logged } = surroundings()
  const shown: ServingCertificate[] = []
  const files = new CertificateFiles({
    certificateFile,
    keyFile,
    log: options.log,
    onCertificate: (certificate) => shown.push(certificate),
  })
  t.after(() => {
    files.stop()
    rmSync(folder, { recursive: true })
  })
  const write = async (name: string): Promise<void> => {
    const validity = { notBefore: new Date(startMs), notAfter: new Date(startMs + 3650 * dayMs) }
    const authority = await createAuthority('test', validity)
    const { certificatePem, keyPem } = await issueCertificate(authority, [name], validity)
    writeFileSync(certificateFile, certificatePem)
    writeFileSync(keyFile, keyPem)
  }
  return { files, shown, logged, write, certificateFile }
}

test('files are read again; while they are wrong, the last good certificate stays', async (t) => {
  const { files, shown, logged, write, certificateFile } = filesStage(t)
  await write('first.example')
  await files.start()
  await files.reread()
  assert.equal(shown.length, 1)
  writeFileSync(certificateFile, 'half')
  await files.reread()
  await files.reread()
  assert.equal(shown.length, 1)
  assert.equal(logged.filter((line) => line.includes('is not renewed')).length, 1)
  await write('second.example')
  await files.reread()
  const subject = new X509Certificate(shown[1]?.certificatePem ?? '').subject
  assert.equal(subject, 'CN=second.example')
})

test('without a certificate there is no start', async (t) => {
  const { files, write, certificateFile } = filesStage(t)
  await assert.rejects(files.start(), /--webhook-certificate-file cannot be read: ENOENT/)
  await write('first.example')
  writeFileSync(certificateFile, 'half')
  await assert.rejects(files.start(), /--webhook-certificate-file \S+tls\.crt: /)
})
