import type { Group } from '../comparison.ts'

const zone = 'limit_req_zone $binary_remote_addr zone=@id:1m'

/** How much a client may have. */
export const limits: Group = {
  name: 'limits',
  comparisons: [
    {
      key: 'limit-rps',
      name: 'a burst',
      annotations: { 'limit-rps': '1' },
      http: `${zone} rate=1r/s;`,
      location: 'limit_req zone=@id burst=5 nodelay;',
      requests: [{ times: 12 }],
    },
    {
      key: 'limit-rpm',
      name: 'a burst, multiplied',
      annotations: { 'limit-rpm': '2', 'limit-burst-multiplier': '2' },
      http: `${zone} rate=2r/m;`,
      location: 'limit_req zone=@id burst=4 nodelay;',
      requests: [{ times: 9 }],
    },
    {
      key: 'limit-burst-multiplier',
      name: 'one',
      annotations: { 'limit-rps': '2', 'limit-burst-multiplier': '1' },
      http: `${zone} rate=2r/s;`,
      location: 'limit_req zone=@id burst=2 nodelay;',
      requests: [{ times: 6 }],
    },
    {
      key: 'limit-rpm',
      name: 'beside limit-rps, the narrower one counts',
      annotations: { 'limit-rps': '100', 'limit-rpm': '1', 'limit-burst-multiplier': '3' },
      http: 'limit_req_zone $binary_remote_addr zone=@id_s:1m rate=100r/s; limit_req_zone $binary_remote_addr zone=@id_m:1m rate=1r/m;',
      location: 'limit_req zone=@id_s burst=300 nodelay; limit_req zone=@id_m burst=3 nodelay;',
      requests: [{ times: 6 }],
    },
    {
      key: 'limit-connections',
      name: 'requests at once',
      annotations: { 'limit-connections': '2' },
      http: 'limit_conn_zone $binary_remote_addr zone=@id:1m;',
      location: 'limit_conn @id 2;',
      requests: [{ times: 5, atOnce: true, upstream: { waitMs: 1500 } }, {}],
    },
    {
      key: 'limit-allowlist',
      name: 'the client is in it',
      annotations: { 'limit-rps': '1', 'limit-allowlist': '127.0.0.0/8' },
      http: 'geo $remote_addr $free_@id { default 0; 127.0.0.0/8 1; } map $free_@id $limit_@id { 0 $binary_remote_addr; 1 ""; } limit_req_zone $limit_@id zone=@id:1m rate=1r/s;',
      location: 'limit_req zone=@id burst=5 nodelay;',
      requests: [{ times: 12 }],
    },
    {
      key: 'limit-allowlist',
      name: 'the client is not in it',
      annotations: { 'limit-rps': '1', 'limit-allowlist': '10.0.0.0/8,::1' },
      http: 'geo $remote_addr $free_@id { default 0; 10.0.0.0/8 1; ::1 1; } map $free_@id $limit_@id { 0 $binary_remote_addr; 1 ""; } limit_req_zone $limit_@id zone=@id:1m rate=1r/s;',
      location: 'limit_req zone=@id burst=5 nodelay;',
      requests: [{ times: 12 }],
    },
    {
      key: 'limit-rate',
      name: 'a body takes its time',
      annotations: { 'limit-rate': '100', 'proxy-buffering': 'on' },
      location: 'proxy_buffering on; limit_rate 100k;',
      requests: [{ upstream: { bodyBytes: 200 * 1024 }, withinMs: 1100 }],
    },
    {
      key: 'limit-rate-after',
      name: 'the beginning is free',
      annotations: { 'limit-rate': '100', 'limit-rate-after': '300', 'proxy-buffering': 'on' },
      location: 'proxy_buffering on; limit_rate_after 300k; limit_rate 100k;',
      requests: [
        { upstream: { bodyBytes: 250 * 1024 }, withinMs: 400 },
        { upstream: { bodyBytes: 500 * 1024 }, withinMs: 1100 },
      ],
    },
    {
      key: 'limit-rps',
      name: 'before users are asked for, and after addresses',
      annotations: {
        'limit-rps': '1',
        'limit-burst-multiplier': '1',
        'auth-type': 'basic',
        'auth-secret': 'users',
      },
      http: `${zone} rate=1r/s;`,
      location:
        'limit_req zone=@id burst=1 nodelay; auth_basic ""; auth_basic_user_file @folder/users;',
      requests: [{ times: 5 }],
    },
  ],
}
