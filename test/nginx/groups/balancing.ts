import type { Group } from '../comparison.ts'

const hashed = Array.from({ length: 24 }, (_, i) => ({ target: `/k${i}`, times: 4 }))

/** Which endpoint is asked. */
export const balancing: Group = {
  name: 'balancing',
  comparisons: [
    {
      key: 'load-balance',
      name: 'round robin is even',
      annotations: { 'load-balance': 'round_robin' },
      service: 'trio',
      spread: true,
      requests: [{ times: 30 }],
    },
    {
      key: 'upstream-hash-by',
      name: 'each key has its endpoint',
      annotations: { 'upstream-hash-by': '$request_uri' },
      service: 'trio',
      http: 'upstream hashed_@id { hash $request_uri consistent; server 127.0.0.1:@port:echo; server 127.0.0.1:@port:second; server 127.0.0.1:@port:third; }',
      pass: 'proxy_pass http://hashed_@id;',
      spread: true,
      requests: hashed,
    },
  ],
}
