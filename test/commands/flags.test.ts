import assert from 'node:assert/strict'
import { test } from 'node:test'
import { flags, variableOf } from '#src/commands/flags.ts'
import type { FlagName, FlagValues } from '#src/commands/flags.ts'
import { UsageError, parseFlags } from '#src/commands/parse-flags.ts'

const groups = ['files', 'serve', 'instance', 'compile', 'strict', 'request', 'header'] as const

function parse(args: readonly string[], environment: Record<string, string> = {}): FlagValues {
  return parseFlags(args, environment, groups).values
}

const accepted: [args: string[], values: FlagValues][] = [
  [['--http-port', '8080'], { 'http-port': 8080 }],
  [['--http-port=0'], { 'http-port': 0 }],
  [['--http-port', '1', '--http-port', '2'], { 'http-port': 2 }],
  [['--strict'], { strict: true }],
  [['--strict=false'], { strict: false }],
  [['--drain-timeout', '300'], { 'drain-timeout': 300_000 }],
  [['--drain-timeout=300s'], { 'drain-timeout': 300_000 }],
  [['--drain-timeout=5m'], { 'drain-timeout': 300_000 }],
  [['--drain-timeout=1m30s'], { 'drain-timeout': 90_000 }],
  [['--drain-timeout=250ms'], { 'drain-timeout': 250 }],
  [['--drain-timeout=0'], { 'drain-timeout': 0 }],
  [['--bind-address=::', '--bind-address', '10.0.0.1'], { 'bind-address': ['::', '10.0.0.1'] }],
  [['--bind-address', '[::1],127.0.0.1'], { 'bind-address': ['::1', '127.0.0.1'] }],
  [['--configmap', 'ns/name'], { configmap: { namespace: 'ns', name: 'name' } }],
  [['--watch-namespace=a,b'], { 'watch-namespace': ['a', 'b'] }],
  [['--log-format=text', '--log-level', 'debug'], { 'log-format': 'text', 'log-level': 'debug' }],
  [
    ['--header', 'A: x, y', '--header=b:1:2'],
    {
      header: [
        ['A', 'x, y'],
        ['b', '1:2'],
      ],
    },
  ],
  [['--files=a=b'], { files: 'a=b' }],
]

for (const [args, values] of accepted) {
  test(`accepts ${args.join(' ')}`, () => {
    assert.deepEqual(parse(args), values)
  })
}

const refused: [args: string[], line: RegExp][] = [
  [['--no-such-flag'], /unknown flag --no-such-flag/],
  [['--htp-port', '1'], /unknown flag --htp-port; did you mean --http-port\?/],
  [['-x'], /unknown flag -x/],
  [['--'.concat('=x')], /unknown flag --/],
  [['--http-port', 'eighty'], /--http-port must be a whole number from 0 to 65535, got "eighty"/],
  [['--http-port', '65536'], /--http-port must be/],
  [['--http-port', '-1'], /--http-port must be/],
  [['--http-port', ''], /--http-port must be/],
  [['--http-port'], /--http-port needs a value/],
  [['--workers', '0'], /--workers must be/],
  [['--strict=yes'], /--strict must be true or false, got "yes"/],
  [['--strict='], /--strict must be true or false/],
  [['--drain-timeout', '5 minutes'], /--drain-timeout must be a duration/],
  [['--drain-timeout', '1e9'], /--drain-timeout must be a duration/],
  [['--drain-timeout', '9999h'], /at most 30 days/],
  [['--drain-timeout', '-5s'], /--drain-timeout must be a duration/],
  [['--bind-address', 'localhost'], /--bind-address must be an IPv4 or IPv6 address/],
  [['--bind-address', '127.0.0.1,x'], /--bind-address must be/],
  [['--configmap', 'name'], /--configmap must be namespace\/name/],
  [['--configmap', 'a/b/c'], /--configmap must be/],
  [['--configmap', 'A/b'], /--configmap must be/],
  [['--watch-namespace-selector', 'a=('], /--watch-namespace-selector must be a label selector/],
  [['--log-level=trace'], /--log-level must be one of debug, info, warn, error/],
  [['--header', 'no colon'], /--header must be name:value/],
  [['--files', ''], /--files must be a text that is not empty/],
  [
    ['--udp-services-configmap', 'a/b'],
    /--udp-services-configmap is not built yet.*: publish UDP ports by a Service/,
  ],
  [['--tcp-services-configmap', 'tcp'], /--tcp-services-configmap must be namespace/],
]

for (const [args, line] of refused) {
  test(`refuses ${args.join(' ')}`, () => {
    assert.throws(
      () => parse(args),
      (error: Error) =>
        error instanceof UsageError && line.test(error.message) && !error.message.includes('\n'),
    )
  })
}

test('a variable stands for its flag, and the flag wins', () => {
  assert.deepEqual(
    parse([], { HEADGATE_HTTP_PORT: '81', HEADGATE_BIND_ADDRESS: '::1,127.0.0.1' }),
    {
      'http-port': 81,
      'bind-address': ['::1', '127.0.0.1'],
    },
  )
  assert.deepEqual(parse(['--http-port', '82'], { HEADGATE_HTTP_PORT: '81' }), { 'http-port': 82 })
  assert.deepEqual(parse([], { HEADGATE_HTTP_PORT: '' }), {})
  assert.throws(
    () => parse([], { HEADGATE_HTTP_PORT: 'x' }),
    /HEADGATE_HTTP_PORT must be a whole number/,
  )
  assert.throws(
    () => parse([], { HEADGATE_UDP_SERVICES_CONFIGMAP: 'a/b' }),
    /HEADGATE_UDP_SERVICES_CONFIGMAP is not built yet/,
  )
})

test('variables that Kubernetes makes for Services are not ours', () => {
  const environment = { HEADGATE_ADMIN_PORT: 'tcp://10.0.0.7:9180', HEADGATE_SERVICE_HOST: 'x' }
  assert.deepEqual(parse([], environment), {})
})

test('operands stand anywhere, and after -- everything is one', () => {
  const { values, operands } = parseFlags(
    ['a', '--strict', 'b', '--', '--strict=no', '-'],
    {},
    groups,
  )
  assert.deepEqual(values, { strict: true })
  assert.deepEqual(operands, ['a', 'b', '--strict=no', '-'])
})

test('a command takes the flags of its groups only', () => {
  assert.throws(() => parseFlags(['--workers', '1'], {}, ['compile']), /unknown flag --workers/)
  assert.deepEqual(parseFlags([], { HEADGATE_WORKERS: 'x' }, ['compile']).values, {})
})

test('every flag of the outer contract exists', () => {
  const contract = `files kubeconfig context http-port https-port admin-port bind-address
    admin-bind-address workers ingress-class controller-class watch-ingress-without-class
    annotations-prefix watch-namespace watch-namespace-selector configmap default-backend-service
    default-ssl-certificate publish-service publish-status-address update-status
    tcp-services-configmap udp-services-configmap enable-ssl-passthrough election-id
    election-namespace shutdown-grace-period drain-timeout state-dir log-format log-level`
  for (const name of contract.split(/\s+/)) assert.ok(Object.hasOwn(flags, name), name)
})

test('defaults that the help shows are values of their flags', () => {
  const notParsed = new Set(['workers', 'watch-ingress-without-class', 'in-cluster', 'pod'])
  for (const [name, flag] of Object.entries(flags)) {
    if (flag.default === '' || notParsed.has(name)) continue
    assert.notEqual(flag.type.parse(flag.default), undefined, name)
    assert.match(flag.help, /\.$/)
  }
  assert.equal(variableOf('http-port' satisfies FlagName), 'HEADGATE_HTTP_PORT')
})
