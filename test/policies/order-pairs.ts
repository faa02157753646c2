import assert from 'node:assert/strict'
import type { IncomingHttpHeaders } from 'node:http'
import type { PolicyName } from '#src/policies/index.ts'

/** What came of a request. */
export interface Outcome {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** What the upstream saw, where it was asked: its target, its Host, and the fields X-Set, traceparent and tracestate. */
  readonly saw: readonly string[]
  /** Copies that were made of the request: their targets, and X-Forwarded-Prefix. */
  readonly copies: readonly string[]
}

/**
 * Two neighbours of the list of policies on one route, and a request on which both would act: what comes
 * of it shows that the first acts before the second. `order: false`: they never touch the same thing, so
 * that nobody can tell which is first.
 */
export interface Pair {
  readonly policies: readonly [PolicyName, PolicyName]
  readonly order?: false
  readonly annotations: Readonly<Record<string, string>>
  readonly target?: string
  readonly method?: string
  readonly host?: string
  readonly tls?: 'anonymous' | 'client'
  readonly fields?: Readonly<Record<string, string>>
  /** Sent so often; the last answer counts. */
  readonly times?: number
  readonly check: (outcome: Outcome) => void
}

const basic = { 'auth-type': 'basic', 'auth-secret': 'users' }
const clientCertificates = { 'auth-tls-secret': 'test/ca', 'auth-tls-match-cn': 'CN=somebody' }
/** Stands for the address of the authentication service, which is not known yet. */
export const authorityName = 'authority.invalid'
const auth = (path: string): string => `http://${authorityName}${path}`
/** Copies go here. */
export const copyPath = '/copy'
const snippet = (text: string) => ({ 'configuration-snippet': text })

export const pairs: readonly Pair[] = [
  {
    policies: ['session-affinity', 'compression'],
    order: false,
    annotations: { affinity: 'cookie', compression: 'on' },
    fields: { 'accept-encoding': 'br' },
    check({ headers }) {
      assert.equal(headers['content-encoding'], 'br')
      assert.match(headers['set-cookie']?.join() ?? '', /INGRESSCOOKIE=/)
    },
  },
  {
    policies: ['compression', 'trace-context'],
    order: false,
    annotations: { compression: 'on', 'enable-opentelemetry': 'true' },
    fields: { 'accept-encoding': 'br' },
    check({ headers, saw }) {
      assert.equal(headers['content-encoding'], 'br')
      assert.match(saw[3] ?? '', /^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/)
    },
  },
  {
    policies: ['trace-context', 'client-certificates'],
    order: false,
    annotations: { 'enable-opentelemetry': 'true', ...clientCertificates },
    tls: 'client',
    check: ({ status }) => {
      assert.equal(status, 403)
    },
  },
  {
    policies: ['client-certificates', 'block-lists'],
    annotations: clientCertificates,
    tls: 'anonymous',
    fields: { 'user-agent': 'blocked' },
    check: ({ status }) => {
      assert.equal(status, 400)
    },
  },
  {
    policies: ['block-lists', 'server-snippet'],
    annotations: { 'server-snippet': 'return 410;' },
    fields: { 'user-agent': 'blocked' },
    check: ({ status }) => {
      assert.equal(status, 403)
    },
  },
  {
    policies: ['server-snippet', 'app-root'],
    annotations: { 'server-snippet': 'return 410;', 'app-root': '/home' },
    check: ({ status }) => {
      assert.equal(status, 410)
    },
  },
  {
    policies: ['app-root', 'host-redirect'],
    order: false,
    annotations: { 'app-root': '/home', 'from-to-www-redirect': 'true' },
    host: 'www.',
    check({ status, headers }) {
      assert.equal(status, 308)
      assert.doesNotMatch(headers.location ?? '', /home|www/)
    },
  },
  {
    policies: ['host-redirect', 'snippet-answer'],
    order: false,
    annotations: {
      'from-to-www-redirect': 'true',
      ...snippet('add_header X-Both snippet always;'),
    },
    host: 'www.',
    check({ status, headers }) {
      assert.deepEqual([status, headers['x-both']], [308, 'added'])
    },
  },
  {
    policies: ['snippet-answer', 'cors'],
    annotations: {
      'enable-cors': 'true',
      ...snippet('more_set_headers "Access-Control-Allow-Methods: SNIPPET";'),
    },
    method: 'OPTIONS',
    check({ status, headers }) {
      assert.deepEqual([status, headers['access-control-allow-methods']], [204, 'SNIPPET'])
    },
  },
  {
    policies: ['cors', 'custom-headers'],
    annotations: { 'enable-cors': 'true', 'custom-headers': 'test/custom' },
    check: ({ headers }) => {
      assert.match(headers['access-control-allow-methods'] ?? '', /^GET, PUT/)
    },
  },
  {
    policies: ['custom-headers', 'add-headers'],
    annotations: { 'custom-headers': 'test/custom' },
    check: ({ headers }) => {
      assert.equal(headers['x-both'], 'custom')
    },
  },
  {
    policies: ['add-headers', 'location-snippet'],
    order: false,
    annotations: snippet('return 410;'),
    check({ status, headers }) {
      assert.deepEqual([status, headers['x-both']], [410, 'added'])
    },
  },
  {
    policies: ['location-snippet', 'redirect'],
    annotations: { 'permanent-redirect': 'http://else.example/', ...snippet('return 410;') },
    check: ({ status }) => {
      assert.equal(status, 410)
    },
  },
  {
    policies: ['redirect', 'rewrite-away'],
    annotations: {
      'permanent-redirect': 'http://else.example/',
      'rewrite-target': 'http://other.example/',
    },
    check: ({ status }) => {
      assert.equal(status, 301)
    },
  },
  {
    policies: ['rewrite-away', 'ssl-redirect'],
    annotations: { 'rewrite-target': 'http://other.example/', 'force-ssl-redirect': 'true' },
    check: ({ status }) => {
      assert.equal(status, 302)
    },
  },
  {
    policies: ['ssl-redirect', 'limits'],
    annotations: { 'force-ssl-redirect': 'true', 'limit-rpm': '1', 'limit-burst-multiplier': '1' },
    times: 5,
    check: ({ status }) => {
      assert.equal(status, 308)
    },
  },
  {
    policies: ['limits', 'limit-rate'],
    order: false,
    annotations: { 'limit-rpm': '1', 'limit-burst-multiplier': '1', 'limit-rate': '1' },
    times: 5,
    check: ({ status }) => {
      assert.equal(status, 503)
    },
  },
  {
    policies: ['limit-rate', 'source-ranges'],
    order: false,
    annotations: { 'limit-rate': '1', 'denylist-source-range': '127.0.0.0/8' },
    check: ({ status }) => {
      assert.equal(status, 403)
    },
  },
  {
    policies: ['source-ranges', 'basic-auth'],
    annotations: { 'denylist-source-range': '127.0.0.0/8', ...basic },
    check: ({ status }) => {
      assert.equal(status, 403)
    },
  },
  {
    policies: ['basic-auth', 'external-auth'],
    annotations: { 'auth-url': auth('/status/403'), ...basic },
    check: ({ status }) => {
      assert.equal(status, 401)
    },
  },
  {
    policies: ['external-auth', 'any-access'],
    annotations: { satisfy: 'any', 'auth-url': auth('/status/200'), ...basic },
    check: ({ status }) => {
      assert.equal(status, 200)
    },
  },
  {
    policies: ['any-access', 'mirror'],
    annotations: {
      satisfy: 'any',
      'auth-url': auth('/status/403'),
      'mirror-target': auth(`${copyPath}/denied`),
      ...basic,
    },
    check({ status, copies }) {
      assert.deepEqual([status, copies], [401, []])
    },
  },
  {
    policies: ['mirror', 'rewrite'],
    annotations: {
      satisfy: 'any',
      'auth-url': auth('/original'),
      'rewrite-target': '/rewritten',
      'x-forwarded-prefix': '/prefix',
      'mirror-target': auth(`${copyPath}$uri`),
      ...basic,
    },
    target: '/original',
    check({ status, saw, copies }) {
      assert.deepEqual([status, saw[0], copies], [200, '/rewritten', [`${copyPath}/original `]])
    },
  },
  {
    policies: ['rewrite', 'upstream-host'],
    order: false,
    annotations: { 'rewrite-target': '/rewritten', 'upstream-vhost': 'other.example' },
    check: ({ saw }) => {
      assert.deepEqual(saw.slice(0, 2), ['/rewritten', 'other.example'])
    },
  },
  {
    policies: ['upstream-host', 'request-fields'],
    order: false,
    annotations: { 'upstream-vhost': 'other.example' },
    check: ({ saw }) => {
      assert.deepEqual(saw.slice(1, 3), ['other.example', 'set'])
    },
  },
  {
    policies: ['request-fields', 'snippet-fields'],
    annotations: snippet('proxy_set_header X-Set snippet;'),
    check: ({ saw }) => {
      assert.equal(saw[2], 'snippet')
    },
  },
  {
    policies: ['snippet-fields', 'response-location'],
    order: false,
    annotations: {
      'proxy-redirect-from': 'http://in/',
      'proxy-redirect-to': 'http://out/',
      ...snippet('proxy_set_header X-Set snippet;'),
    },
    check({ headers, saw }) {
      assert.deepEqual([headers.location, saw[2]], ['http://out/x', 'snippet'])
    },
  },
  {
    policies: ['response-location', 'response-cookies'],
    order: false,
    annotations: {
      'proxy-redirect-from': 'http://in/',
      'proxy-redirect-to': 'http://out/',
      'proxy-cookie-path': '/one /two',
    },
    check({ headers }) {
      assert.equal(headers.location, 'http://out/x')
      assert.deepEqual(headers['set-cookie'], ['a=b; Path=/two'])
    },
  },
  {
    policies: ['response-cookies', 'hide-headers'],
    order: false,
    annotations: { 'proxy-cookie-path': '/one /two' },
    check({ headers }) {
      assert.deepEqual(
        [headers['set-cookie'], headers['x-hidden']],
        [['a=b; Path=/two'], undefined],
      )
    },
  },
]
