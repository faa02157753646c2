import type { Group } from '../comparison.ts'

const get = [{}]
const basic = 'auth_basic_user_file @folder/users; proxy_set_header Authorization "";'
const right = { fields: { Authorization: 'Basic dTpw' } }

/** Who may come: lists of addresses, users, and both. */
export const access: Group = {
  name: 'lists of addresses, users',
  comparisons: [
    {
      key: 'allowlist-source-range',
      name: 'others are refused',
      annotations: { 'allowlist-source-range': '10.0.0.0/8' },
      location: 'allow 10.0.0.0/8; deny all;',
      requests: get,
    },
    {
      key: 'allowlist-source-range',
      name: 'the client is in it',
      annotations: { 'allowlist-source-range': '10.0.0.0/8,127.0.0.1' },
      location: 'allow 10.0.0.0/8; allow 127.0.0.1; deny all;',
      requests: get,
    },
    {
      key: 'denylist-source-range',
      name: 'the deny list first',
      annotations: {
        'denylist-source-range': '127.0.0.0/8',
        'allowlist-source-range': '127.0.0.1',
      },
      location: 'deny 127.0.0.0/8; allow 127.0.0.1; deny all;',
      requests: get,
    },
    {
      key: 'denylist-source-range',
      name: 'others come in',
      annotations: { 'denylist-source-range': '10.0.0.0/8, 2001:db8::/32' },
      location: 'deny 10.0.0.0/8; deny 2001:db8::/32;',
      requests: get,
    },
    {
      key: 'auth-type',
      name: 'basic authentication',
      annotations: { 'auth-type': 'basic', 'auth-secret': 'users', 'auth-realm': 'Closed area' },
      location: `auth_basic "Closed area"; ${basic}`,
      requests: [
        {},
        right,
        { fields: { Authorization: 'Basic dTpx' } },
        { fields: { Authorization: 'Basic !' } },
        { fields: { Authorization: 'Bearer dTpw' } },
        { fields: { Authorization: 'basic dTpw' } },
        { fields: { Authorization: 'Basic  dTpw' } },
        { fields: { Authorization: 'Basic dTpwOng=' } },
        { fields: { Authorization: 'Basic dQ==' } },
        { method: 'POST', body: 'x'.repeat(2_000) },
      ],
    },
    {
      key: 'auth-type',
      name: 'a snippet says who we are to the upstream',
      annotations: {
        'auth-type': 'basic',
        'auth-secret': 'users',
        'auth-realm': 'r',
        'configuration-snippet': 'proxy_set_header Authorization "Basic inner";',
      },
      location: `auth_basic "r"; ${basic} proxy_set_header Authorization "Basic inner";`,
      requests: [right],
    },
    {
      key: 'auth-type',
      name: 'nobody is asked where there is no endpoint',
      annotations: { 'auth-type': 'basic', 'auth-secret': 'users', 'auth-realm': 'r' },
      service: 'empty',
      // As balancer.rewrite of ingress-nginx does.
      location: `auth_basic "r"; ${basic} if ($uri) { return 503; }`,
      pass: 'proxy_pass http://echo;',
      requests: [{}, right],
    },
    {
      key: 'auth-secret',
      name: 'each of the users',
      annotations: { 'auth-type': 'basic', 'auth-secret': 'test/users', 'auth-realm': 'r' },
      location: `auth_basic "r"; ${basic}`,
      requests: [
        right,
        { fields: { Authorization: 'Basic djpw' } },
        { fields: { Authorization: 'Basic dzpw' } },
      ],
    },
    {
      key: 'auth-secret-type',
      name: 'a key a user',
      annotations: {
        'auth-type': 'basic',
        'auth-secret': 'map',
        'auth-secret-type': 'auth-map',
        'auth-realm': 'r',
      },
      location: `auth_basic "r"; ${basic}`,
      requests: [{}, right, { fields: { Authorization: 'Basic djpw' } }],
    },
    {
      key: 'auth-realm',
      name: 'quotes in it',
      apart: {
        fields: ['www-authenticate'],
        why: 'quotes are escaped (RFC 9110 5.6.4), which nginx leaves to the one who writes them',
      },
      annotations: { 'auth-type': 'basic', 'auth-secret': 'users', 'auth-realm': 'It\'s "us"' },
      location: `auth_basic "It's \\"us\\""; ${basic}`,
      requests: get,
    },
    {
      key: 'auth-realm',
      name: 'the default',
      annotations: { 'auth-type': 'basic', 'auth-secret': 'users' },
      location: `auth_basic ""; ${basic}`,
      requests: [{}, right],
    },
    {
      key: 'satisfy',
      name: 'any of list and password',
      annotations: {
        satisfy: 'any',
        'allowlist-source-range': '10.0.0.0/8',
        'auth-type': 'basic',
        'auth-secret': 'users',
        'auth-realm': 'r',
      },
      location: `satisfy any; allow 10.0.0.0/8; deny all; auth_basic "r"; ${basic}`,
      requests: [{}, right],
    },
    {
      key: 'satisfy',
      name: 'any, where the list lets the client in',
      annotations: {
        satisfy: 'any',
        'allowlist-source-range': '127.0.0.1',
        'auth-type': 'basic',
        'auth-secret': 'users',
        'auth-realm': 'r',
      },
      location: `satisfy any; allow 127.0.0.1; deny all; auth_basic "r"; ${basic}`,
      requests: get,
    },
    {
      key: 'satisfy',
      name: 'all of list and password',
      annotations: {
        satisfy: 'all',
        'allowlist-source-range': '10.0.0.0/8',
        'auth-type': 'basic',
        'auth-secret': 'users',
        'auth-realm': 'r',
      },
      location: `satisfy all; allow 10.0.0.0/8; deny all; auth_basic "r"; ${basic}`,
      requests: [{}, right],
    },
  ],
}
