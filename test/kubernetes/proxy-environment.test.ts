import assert from 'node:assert/strict'
import { test } from 'node:test'
import { proxyFromEnvironment } from '#src/kubernetes/proxy-environment.ts'

const proxy = 'http://proxy.test:3128'
const inCluster = 'https://10.96.0.1:443'
const named = 'https://api.east.example.com:6443'

/** URL, NO_PROXY, and whether the proxy is used: the table of Go's net/http/httpproxy, and ours. */
const cases: readonly (readonly [url: string, noProxy: string, used: boolean])[] = [
  [named, '', true],
  [named, '*', false],
  [named, 'example.com', false],
  [named, 'EXAMPLE.COM', false],
  [named, '.example.com', false],
  [named, '*.example.com', false],
  [named, 'ample.com', true],
  [named, 'api.east.example.com', false],
  [named, '.api.east.example.com', true],
  [named, 'other.test, example.com', false],
  [named, 'example.com:6443', false],
  [named, 'example.com:443', true],
  [inCluster, '10.96.0.0/12', false],
  [inCluster, '10.0.0.0/12', true],
  [inCluster, '10.96.0.1', false],
  [inCluster, '10.96.0.1:443', false],
  [inCluster, '10.96.0.1:6443', true],
  [inCluster, '10.96.0.2', true],
  [inCluster, '10.96.0.0/33', true],
  [inCluster, 'fd00::/8', true],
  ['https://[fd00::1]:6443', 'fd00::/8', false],
  ['https://[fd00::1]:6443', 'fd00:0::1', false],
  ['https://[fd00::1]:6443', '[fd00::1]:6443', false],
  ['https://[fd00::1]:6443', '[fd00::1]:443', true],
  ['https://localhost:6443', '', false],
  ['https://127.0.0.1:6443', '', false],
  ['https://[::1]:6443', '', false],
]

for (const [url, noProxy, used] of cases) {
  test(`${url} with NO_PROXY=${noProxy}: ${used ? 'by the proxy' : 'directly'}`, () => {
    const environment = { HTTPS_PROXY: proxy, NO_PROXY: noProxy }
    assert.equal(proxyFromEnvironment(url, environment), used ? proxy : '')
  })
}

test('the variable is that of the scheme, in upper case or else in lower case', () => {
  const environment = { https_proxy: 'https://lower.test', HTTP_PROXY: 'plain.test:80' }
  assert.equal(proxyFromEnvironment(named, environment), 'https://lower.test')
  assert.equal(proxyFromEnvironment('http://api.test', environment), 'http://plain.test:80')
  assert.equal(proxyFromEnvironment(named, { ...environment, HTTPS_PROXY: proxy }), proxy)
  assert.equal(proxyFromEnvironment(named, { HTTP_PROXY: proxy }), '')
})
