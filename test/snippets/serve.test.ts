import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask, createFolder, startServing, startUpstream } from '#test/commands/instance.ts'

const location = `
rewrite ^/loop/(.*)$ /loop/x/$1 last;
rewrite ^/shop/old/(.*)$ /api/$1 last;
if ($arg_hang) { return 444; }
more_set_headers "X-Ingress: $ingress_name$location_path";
more_set_headers "X-Service: $service_name.$namespace:$service_port";`
const server = `
if ($http_x_forwarded_proto = http) { return 301 https://$host$request_uri; }
rewrite ^/moved/(.*)$ /api/$1;
location = /robots.txt { default_type text/plain; return 200 "none\\n"; }
location = /é { return 200 "č $uri"; }
location ~ /\\.git { deny all; }`

function ingress(name: string, path: string, snippets: Readonly<Record<string, string>>): object {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: {
      namespace: 'test',
      name,
      annotations: Object.fromEntries(
        Object.entries(snippets).map(([key, text]) => [`nginx.ingress.kubernetes.io/${key}`, text]),
      ),
    },
    spec: {
      rules: [
        {
          host: 'a.example',
          http: {
            paths: [
              {
                path,
                pathType: 'Prefix',
                backend: { service: { name: 'web', port: { number: 80 } } },
              },
            ],
          },
        },
      ],
    },
  }
}

function objects(port: number): string {
  const list = [
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace: 'headgate', name: 'options' },
      data: { 'allow-snippet-annotations': 'true', 'annotations-risk-level': 'Critical' },
    },
    ingress('shop', '/shop', { 'configuration-snippet': location, 'server-snippet': server }),
    ingress('loop', '/loop', { 'configuration-snippet': location }),
    ingress('api', '/api', { 'configuration-snippet': 'add_header X-Api 1;' }),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace: 'test', name: 'web' },
      spec: { ports: [{ port: 80 }] },
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        namespace: 'test',
        name: 'web-1',
        labels: { 'kubernetes.io/service-name': 'web' },
      },
      addressType: 'IPv4',
      ports: [{ port }],
      endpoints: [{ addresses: ['127.0.0.1'] }],
    },
  ]
  return list.map((object) => JSON.stringify(object)).join('\n---\n')
}

interface Expected {
  readonly status: number
  readonly body?: string
  readonly fields?: Readonly<Record<string, string | undefined>>
}

const requests: readonly (readonly [path: string, expected: Expected, proto?: string])[] = [
  [
    '/shop/a',
    {
      status: 200,
      body: '/shop/a',
      fields: { 'x-ingress': 'shop/shop', 'x-service': 'web.test:80' },
    },
  ],
  // The rule for the new path takes over: its snippet, and not the first one's.
  [
    '/shop/old/x?y',
    { status: 200, body: '/api/x?y', fields: { 'x-api': '1', 'x-ingress': undefined } },
  ],
  ['/moved/z', { status: 200, body: '/api/z', fields: { 'x-api': '1' } }],
  ['/loop/1', { status: 500 }],
  ['/robots.txt', { status: 200, body: 'none\n', fields: { 'content-type': 'text/plain' } }],
  ['/%C3%A9', { status: 200, body: 'č /é' }],
  ['/api/.git/config', { status: 403 }],
  ['/nobody', { status: 404 }],
  ['/nobody?q', { status: 301, fields: { location: 'https://a.example/nobody?q' } }, 'http'],
]

await test('snippets decide over real requests, over rules and where no rule matches', async (t) => {
  const port = await startUpstream(t, (asked, answer) => {
    answer.end(asked.url)
  })
  const folder = createFolder(t, { 'all.yaml': objects(port) })
  const { ports } = await startServing(t, folder, ['--configmap=headgate/options'])
  for (const [path, { status, body, fields = {} }, proto] of requests) {
    const headers = {
      host: 'a.example',
      ...(proto !== undefined && { 'x-forwarded-proto': proto }),
    }
    const got = await ask(ports.http, path, { headers })
    assert.equal(got.status, status, path)
    if (body !== undefined) assert.equal(got.body, body, path)
    for (const [name, value] of Object.entries(fields)) assert.equal(got.headers[name], value, path)
  }
  const hung = ask(ports.http, '/shop/?hang=1', { headers: { host: 'a.example' } })
  await assert.rejects(hung, /socket hang up|ECONNRESET/)
})
