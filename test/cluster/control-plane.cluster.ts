import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { request } from 'undici'
import { ClusterApi } from './support/cluster-api.ts'
import { createDataFolder, launchControlPlane, startControlPlane } from './support/control-plane.ts'
import { kubectl } from './support/kubectl.ts'
import { siteObjects } from './support/site-objects.ts'

const site = {
  namespace: 'shop',
  name: 'web',
  host: 'shop.example',
  addresses: ['198.18.0.1', '198.19.255.1'],
  port: 8080,
}

test('the objects of a site are taken, and its endpoints are reachable', async (t) => {
  const { kubeconfig } = await startControlPlane(t)
  const api = ClusterApi.ofKubeconfig(kubeconfig)
  t.after(async () => {
    await api.close()
  })
  await api.createNamespace('shop')
  await api.apply(siteObjects(site))
  const listed = await kubectl(
    kubeconfig,
    'get ingress,service,endpointslice -n shop -o name'.split(' '),
  )
  assert.deepEqual(listed.trim().split('\n'), [
    'ingress.networking.k8s.io/web',
    'service/web',
    'endpointslice.discovery.k8s.io/web-1',
  ])
  for (const [index, host] of site.addresses.entries()) {
    const server = createServer((_request, response) => response.end(`endpoint ${index}`))
    await new Promise<void>((resolve) => server.listen(site.port, host, resolve))
    t.after(() => server.close())
    const answer = await request(`http://${host}:${site.port}/`, { reset: true })
    assert.equal(await answer.body.text(), `endpoint ${index}`)
  }
})

test('a real server refuses what it always refuses', async (t) => {
  const { kubeconfig } = await startControlPlane(t)
  const api = ClusterApi.ofKubeconfig(kubeconfig)
  t.after(async () => {
    await api.close()
  })
  await api.createNamespace('shop')
  const loopback = siteObjects({ ...site, addresses: ['127.0.0.1'] }).slice(2)
  await assert.rejects(api.apply(loopback), /answered 422: .*loopback/)
  const account = { name: 'reader', namespace: 'shop' }
  await api.apply([{ apiVersion: 'v1', kind: 'ServiceAccount', metadata: account }])
  const reader = api.withToken(await api.createToken('shop', 'reader'))
  t.after(async () => {
    await reader.close()
  })
  await assert.rejects(reader.get('/api/v1/secrets'), /answered 403: .*cannot list resource/)
})

test('a restart on the same folder and port keeps objects, certificates and rights', async (t) => {
  const folder = createDataFolder(t)
  const first = await launchControlPlane({ folder })
  t.after(first.stop)
  const api = ClusterApi.ofKubeconfig(first.kubeconfig)
  t.after(async () => {
    await api.close()
  })
  await api.createNamespace('kept')
  await first.stop()
  await assert.rejects(api.get('/readyz'), /ECONNREFUSED/)
  const second = await launchControlPlane({ folder, port: first.port })
  t.after(second.stop)
  assert.equal(second.url, first.url)
  const kept = await api.get('/api/v1/namespaces/kept')
  assert.equal(kept.metadata.name, 'kept')
})
