import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dutySettingsOf, refuseClusterFlags, webhookSettingsOf } from '#src/commands/duties.ts'
import { addressOrName } from '#src/commands/flag-types.ts'
import { UsageError } from '#src/commands/parse-flags.ts'

test('without flags: the Lease of the Pod, its nodes, and everything written', () => {
  const settings = dutySettingsOf({}, { POD_NAME: 'headgate-1', POD_NAMESPACE: 'ops' })
  const { identity, ...rest } = settings
  assert.match(identity, /^headgate-1_[0-9a-f]{8}$/)
  assert.deepEqual(rest, {
    pod: { namespace: 'ops', name: 'headgate-1' },
    election: { id: 'headgate-leader', namespace: 'ops' },
    publish: { addresses: [], service: undefined },
    updateStatus: true,
    controllerClass: 'headgate.dev/ingress-controller',
    namespaces: [],
  })
  assert.notEqual(dutySettingsOf({}, {}).identity, dutySettingsOf({}, {}).identity)
  assert.equal(dutySettingsOf({}, { POD_NAME: 'headgate-1' }).pod, undefined)
})

test('a Service and addresses exclude each other', () => {
  const values = {
    'publish-service': { namespace: 'ops', name: 'headgate' },
    'publish-status-address': ['192.0.2.1'],
  }
  assert.throws(() => dutySettingsOf(values, {}), UsageError)
})

test('without a cluster flags about it are refused', () => {
  assert.throws(
    () => {
      refuseClusterFlags({ 'election-id': 'x' })
    },
    { message: '--election-id needs a cluster; --files has none' },
  )
  refuseClusterFlags({ 'update-status': false })
})

test('an address of the status is an IP or a host name', () => {
  for (const good of ['192.0.2.1', '2001:db8::1', 'lb.example', 'localhost']) {
    assert.equal(addressOrName.parse(good), good)
  }
  for (const bad of ['', '1.2.3', '300.1.1.1', 'a..b', 'LB.example', 'http://x', 'a b', '-a']) {
    assert.equal(addressOrName.parse(bad), undefined, bad)
  }
})

test('the webhook is off, has files, or a certificate of our own in a cluster', () => {
  assert.equal(webhookSettingsOf({}, {}, true), undefined)
  assert.deepEqual(
    webhookSettingsOf(
      { 'webhook-port': 8443, 'webhook-certificate-file': 'c', 'webhook-key-file': 'k' },
      {},
      false,
    ),
    { port: 8443, files: { certificateFile: 'c', keyFile: 'k' }, managed: undefined },
  )
  assert.deepEqual(
    webhookSettingsOf(
      { 'webhook-port': 8443, 'webhook-configuration': 'headgate' },
      { POD_NAMESPACE: 'ops' },
      true,
    )?.managed,
    { configuration: 'headgate', namespace: 'ops', secret: 'headgate-webhook' },
  )
  const wrong = [
    { 'webhook-port': 8443 },
    { 'webhook-port': 8443, 'webhook-configuration': 'headgate' },
    { 'webhook-port': 8443, 'webhook-key-file': 'k' },
  ]
  for (const values of wrong) assert.throws(() => webhookSettingsOf(values, {}, false), UsageError)
})
