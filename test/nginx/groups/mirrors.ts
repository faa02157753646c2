import type { Group } from '../comparison.ts'
import { told } from './errors.ts'

const asCopy = {
  fields: [...told, 'x-forwarded-for', 'x-request-id'],
  why: 'a copy has what the upstream is told, X-Forwarded-For and X-Request-ID among it',
}

function copy(target: string, host: string): string {
  return `location = /_mirror { internal; proxy_set_header Host "${host}"; proxy_pass "${target}"; }`
}

const bodies = [
  { target: '/a?b=c', fields: { 'X-Forwarded-For': '192.0.2.1', Cookie: 'a=b' } },
  { method: 'POST', body: 'abc' },
  { method: 'HEAD', target: '/%C3%A9' },
  { upstream: { status: 404 } },
]

/** Copies of requests. */
export const mirrors: Group = {
  name: 'mirrors',
  comparisons: [
    {
      key: 'mirror-target',
      name: 'the same path and query',
      apart: asCopy,
      annotations: { 'mirror-target': 'http://127.0.0.1:@port:mirror$request_uri' },
      location: 'mirror /_mirror; mirror_request_body on;',
      server: copy('http://127.0.0.1:@port:mirror$request_uri', '127.0.0.1'),
      requests: bodies,
    },
    {
      key: 'mirror-request-body',
      name: 'off',
      apart: asCopy,
      annotations: {
        'mirror-target': 'http://127.0.0.1:@port:mirror$request_uri',
        'mirror-request-body': 'off',
      },
      location: 'mirror /_mirror; mirror_request_body off;',
      server: copy('http://127.0.0.1:@port:mirror$request_uri', '127.0.0.1'),
      requests: bodies,
    },
    {
      key: 'mirror-host',
      name: 'a name for the copies',
      apart: asCopy,
      annotations: {
        'mirror-target': 'http://127.0.0.1:@port:mirror/fixed?h=$host',
        'mirror-host': 'copies.example',
      },
      location: 'mirror /_mirror; mirror_request_body on;',
      server: copy('http://127.0.0.1:@port:mirror/fixed?h=$host', 'copies.example'),
      requests: bodies,
    },
  ],
}
