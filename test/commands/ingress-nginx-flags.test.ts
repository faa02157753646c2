import assert from 'node:assert/strict'
import { test } from 'node:test'
import { flags } from '#src/commands/flags.ts'
import { ingressNginxFlags } from '#src/commands/ingress-nginx-flags.ts'
import { call } from './call.ts'

/** Every flag that ingress-nginx documents (v1.15.1). */
const documented =
  `annotations-prefix apiserver-host bucket-factor certificate-authority configmap controller-class
  deep-inspect default-backend-service default-server-port default-ssl-certificate
  enable-annotation-validation disable-catch-all disable-full-test disable-svc-external-name
  disable-sync-events dynamic-configuration-retries election-id election-ttl enable-metrics
  enable-ssl-chain-completion enable-ssl-passthrough disable-leader-election
  enable-topology-aware-routing exclude-socket-metrics health-check-path health-check-timeout
  healthz-port healthz-host http-port https-port ingress-class ingress-class-by-name
  internal-logger-address kubeconfig length-buckets max-buckets maxmind-edition-ids
  maxmind-retries-timeout maxmind-retries-count maxmind-license-key maxmind-mirror metrics-per-host
  metrics-per-undefined-host monitor-max-batch-size post-shutdown-grace-period profiler-port
  profiling publish-service publish-status-address report-node-internal-ip-address
  report-status-classes ssl-passthrough-proxy-port status-port status-update-interval stream-port
  sync-period sync-rate-limit tcp-services-configmap time-buckets udp-services-configmap
  update-status update-status-on-shutdown shutdown-grace-period size-buckets v validating-webhook
  validating-webhook-certificate validating-webhook-key version watch-ingress-without-class
  watch-namespace watch-namespace-selector`.split(/\s+/)

test('every flag of ingress-nginx is ours, or has an answer', () => {
  const unanswered = documented.filter(
    (name) => !Object.hasOwn(flags, name) && !Object.hasOwn(ingressNginxFlags, name),
  )
  assert.deepEqual(unanswered, [])
  const invented = Object.keys(ingressNginxFlags).filter((name) => !documented.includes(name))
  assert.deepEqual(invented, [])
})

for (const name of documented.filter((flag) => !Object.hasOwn(flags, flag))) {
  test(`--${name} is answered with what to use in its place`, async () => {
    for (const written of [`--${name}`, `--${name}=1`, ...(name === 'v' ? ['-v', '-v=2'] : [])]) {
      const { code, out, err } = await call('serve', '--files=.', written)
      assert.deepEqual([code, out], [2, ''])
      assert.equal(err.trimEnd().split('\n').length, 1)
      const answer = ingressNginxFlags[name] ?? ''
      assert.ok(err.includes(written.split('=')[0] ?? '') && err.trimEnd().endsWith(answer), err)
      // What is named in its place exists.
      for (const [, flag = ''] of answer.matchAll(/--([a-z-]+)/g)) {
        assert.ok(flag === 'inspect' || Object.hasOwn(flags, flag), `--${flag} does not exist`)
      }
    }
  })
}
