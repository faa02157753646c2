import type { Comparison } from './comparison.ts'

/** A case and the host that is its own. */
export interface Site {
  readonly host: string
  readonly comparison: Comparison
}

export interface SitePlaces {
  readonly listen: string
  readonly upstream: string
  readonly usersFile: string
  readonly folder: string
}

/** What ingress-nginx writes into each location, as far as it matters to these cases. */
const passing = `proxy_set_header X-Real-IP $remote_addr;
      proxy_set_header X-Forwarded-For $remote_addr;`

/** The configuration of nginx: one server a case. */
export function nginxConfiguration(sites: readonly Site[], places: SitePlaces): string {
  const { folder, upstream, listen } = places
  return `daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log warn;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  default_type text/html;
  proxy_redirect off;
  port_in_redirect off;
  merge_slashes on;
  limit_req_status 503;
  limit_conn_status 503;
  server { listen ${listen} default_server; return 404; }
${sites.map((site) => server(site, places)).join('')}}
`.replaceAll('@upstream', upstream)
}

function server({ host, comparison }: Site, { listen, usersFile }: SitePlaces): string {
  const { http = '', server: inServer = '', location = '', locations } = comparison
  const own = locations ?? `location / { ${location} @proxy }`
  const proxy = `${passing} proxy_set_header Host $http_host; proxy_http_version 1.1; proxy_pass http://@upstream;`
  const [first = ''] = host.split('.')
  return `  ${http}
  server {
    listen ${listen};
    server_name ${host};
    ${inServer}
    ${own}
  }
`
    .replaceAll('@proxyhost', `${passing} proxy_pass http://@upstream; proxy_set_header Host`)
    .replaceAll('@proxyplain', `${passing} proxy_set_header Host $http_host;`)
    .replaceAll(/@proxy(?!_)\b/g, proxy)
    .replaceAll('@listen', listen)
    .replaceAll('@host', host)
    .replaceAll('@users', usersFile)
    .replaceAll('@id', first)
}

/** The same cases as objects of a cluster; JSON is YAML. */
export function manifests(sites: readonly Site[], upstreamPort: number): string {
  const objects = [...sites.map((site) => ingress(site, upstreamPort)), ...others(upstreamPort)]
  return objects.map((object) => JSON.stringify(object)).join('\n---\n')
}

function ingress({ host, comparison }: Site, upstreamPort: number): object {
  const { annotations, path = '/', pathType = 'Prefix' } = comparison
  const upstream = `127.0.0.1:${upstreamPort}`
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: {
      namespace: 'test',
      name: host.split('.')[0],
      annotations: Object.fromEntries(
        Object.entries(annotations).map(([key, text]) => [
          `nginx.ingress.kubernetes.io/${key}`,
          text.replaceAll('@upstream', upstream),
        ]),
      ),
    },
    spec: {
      rules: [
        {
          host,
          http: {
            paths: [
              { path, pathType, backend: { service: { name: 'echo', port: { number: 80 } } } },
            ],
          },
        },
      ],
    },
  }
}

/** u:p, as htpasswd -s writes it. */
export const users = 'u:{SHA}UWuXg/ylF+7L0dBk2i0WUxCxl1k='

function metadata(name: string, namespace = 'test') {
  return { namespace, name }
}

function others(upstreamPort: number): object[] {
  return [
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: metadata('options', 'headgate'),
      data: {
        'allow-snippet-annotations': 'true',
        'annotations-risk-level': 'Critical',
        'global-allowed-response-headers': 'X-Custom',
      },
    },
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: metadata('fields'),
      data: { 'X-Custom': 'one two' },
    },
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: metadata('users'),
      data: { auth: Buffer.from(users).toString('base64') },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: metadata('echo'),
      spec: { ports: [{ port: 80 }] },
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { ...metadata('echo-1'), labels: { 'kubernetes.io/service-name': 'echo' } },
      addressType: 'IPv4',
      ports: [{ port: upstreamPort }],
      endpoints: [{ addresses: ['127.0.0.1'] }],
    },
  ]
}
