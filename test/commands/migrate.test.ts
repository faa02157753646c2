import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { call } from './call.ts'
import { createFolder } from './instance.ts'

const prefix = 'nginx.ingress.kubernetes.io'
const main = join(import.meta.dirname, '../../src/main.ts')

function ingress(name: string, annotations: Readonly<Record<string, string>>, more = ''): string {
  const written = Object.entries(annotations).map(
    ([key, value]) =>
      `    ${key.includes('/') ? key : `${prefix}/${key}`}: ${JSON.stringify(value)}`,
  )
  return `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: ${name}
  namespace: shop
  annotations:
    note: x
${written.join('\n')}
spec:
  ${more}
  rules:
    - host: ${name}.example
      http:
        paths:
          - { path: /, pathType: Prefix, backend: { service: { name: web, port: { number: 80 } } } }
`
}

const configMap = (name: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name}, namespace: ingress-nginx }\ndata: { keep-alive: "30", keep-alife: "1" }\n`

interface Report {
  readonly summary: {
    readonly objects: number
    readonly outcomes: Record<string, number>
    readonly keysKnown: number
    readonly keysUsed: number
    readonly keysInForce: number
  }
  readonly configMap: string
  readonly otherClasses: Record<string, number>
  readonly problems: readonly string[]
  readonly keys: readonly { key: string; used: number; verdicts: Record<string, number> }[]
  readonly objects: readonly {
    name: string
    outcome: string
    settings: readonly { key: string; verdict: string; message: string }[]
    problems: readonly { field: string; severity: string }[]
  }[]
}

async function report(
  t: TestContext,
  documents: readonly string[],
  ...flags: string[]
): Promise<{ code: number; found: Report }> {
  const folder = createFolder(t, { 'all.yaml': documents.join('---\n') })
  const { code, out } = await call('migrate', '--output=json', ...flags, folder)
  return { code, found: JSON.parse(out) as Report }
}

test('migrate reads the folder of --files, as serve does, and files beside it', async (t) => {
  const first = createFolder(t, { 'first.yaml': ingress('first', { 'proxy-body-size': '8m' }) })
  const second = createFolder(t, { 'second.yaml': ingress('second', { 'auth-url': 'nope' }) })
  const alone = await call('migrate', '--output=json', '--files', first)
  assert.equal(alone.code, 0)
  assert.deepEqual(namesOf(alone.out), ['first'])
  const both = await call('migrate', '--output=json', '--files', first, `${second}/second.yaml`)
  assert.equal(both.code, 1)
  assert.deepEqual(namesOf(both.out), ['first', 'second'])
})

function namesOf(json: string): string[] {
  return (JSON.parse(json) as Report).objects.map(({ name }) => name).toSorted()
}

// One of each outcome: what each says alone, and where it stands among the others.
const rows: readonly {
  readonly name: string
  readonly annotations: Record<string, string>
  readonly outcome: string
  readonly code: number
  readonly strict: number
}[] = [
  {
    name: 'dropped',
    annotations: { 'load-balance': 'ewma', 'modsecurity-snippet': 'SecRuleEngine On' },
    outcome: 'not served',
    code: 1,
    strict: 1,
  },
  {
    name: 'closed',
    annotations: { 'auth-url': 'nonsense' },
    outcome: 'answers 503',
    code: 1,
    strict: 1,
  },
  {
    name: 'referring',
    annotations: { 'custom-headers': 'other/fields' },
    outcome: 'answers 503',
    code: 1,
    strict: 1,
  },
  {
    name: 'partly',
    annotations: { 'proxy-body-size': 'much' },
    outcome: 'partly',
    code: 1,
    strict: 1,
  },
  {
    name: 'misspelt',
    annotations: { 'proxy-bdy-size': '8m' },
    outcome: 'partly',
    code: 1,
    strict: 1,
  },
  {
    name: 'unused',
    annotations: { 'proxy-buffering': 'on' },
    outcome: 'the same',
    code: 0,
    strict: 0,
  },
  {
    name: 'same',
    annotations: { 'proxy-body-size': '8m' },
    outcome: 'the same',
    code: 0,
    strict: 0,
  },
  { name: 'plain', annotations: {}, outcome: 'the same', code: 0, strict: 0 },
]

for (const { name, annotations, outcome, code, strict } of rows) {
  test(`migrate: ${JSON.stringify(annotations)} is ${outcome}`, async (t) => {
    const { code: plain, found } = await report(t, [ingress(name, annotations)])
    assert.deepEqual(
      found.objects.map((object) => [object.name, object.outcome]),
      [[name, outcome]],
    )
    assert.equal(plain, code)
    assert.equal((await report(t, [ingress(name, annotations)], '--strict')).code, strict)
  })
}

test('migrate: a difference is a warning, which --strict makes a failure', async (t) => {
  const documents = [ingress('a', {}, 'tls: [{ hosts: [b.example], secretName: none }]')]
  const { code, found } = await report(t, documents)
  assert.equal(code, 0)
  assert.equal(found.objects[0]?.outcome, 'differs')
  assert.equal(found.objects[0].problems[0]?.severity, 'warning')
  assert.equal((await report(t, documents, '--strict')).code, 1)
})

test('migrate: the worst stands first, whatever order objects come in', async (t) => {
  const documents = rows.map(({ name, annotations }) => ingress(name, annotations))
  const { found } = await report(t, documents)
  const reversed = await report(t, documents.toReversed())
  assert.deepEqual(
    found.objects.map(({ name }) => name),
    ['dropped', 'closed', 'referring', 'misspelt', 'partly', 'plain', 'same', 'unused'],
  )
  assert.deepEqual(
    reversed.found.objects.map(({ name }) => name),
    found.objects.map(({ name }) => name),
  )
  assert.deepEqual(
    found.objects[0]?.settings.map(({ verdict }) => verdict),
    ['not in force', 'honoured'],
  )
})

test('migrate: counts by key, and of the 136', async (t) => {
  const { found } = await report(t, [
    ingress('a', { 'proxy-body-size': '8m', 'proxy-bdy-size': '8m' }),
    ingress('b', { 'proxy-body-size': 'much', 'enable-cors': 'true' }),
    ingress('c', { 'proxy-body-size': '9m' }),
  ])
  assert.equal(found.summary.keysKnown, 136)
  assert.equal(found.summary.keysUsed, 2)
  assert.equal(found.summary.keysInForce, 1)
  assert.deepEqual(
    found.keys.map(({ key, used, verdicts }) => [key, used, verdicts['not in force']]),
    [
      ['proxy-body-size', 3, 1],
      ['proxy-bdy-size', 1, 1],
      ['enable-cors', 1, 0],
    ],
  )
})

const classObject = (name: string, controller: string): string =>
  `apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: { name: ${name} }\nspec: { controller: ${controller} }\n`

const classCases: readonly (readonly [
  title: string,
  documents: readonly string[],
  judged: readonly string[],
  others: Record<string, number>,
])[] = [
  ['no class at all', [ingress('a', {})], ['a'], {}],
  ['nginx by annotation', [ingress('a', { 'kubernetes.io/ingress.class': 'nginx' })], ['a'], {}],
  [
    'another by annotation',
    [ingress('a', { 'kubernetes.io/ingress.class': 'alb' })],
    [],
    { alb: 1 },
  ],
  ['a class that is not at hand', [ingress('a', {}, 'ingressClassName: inner')], ['a'], {}],
  [
    'a class of ingress-nginx under another name',
    [classObject('inner', 'k8s.io/ingress-nginx'), ingress('a', {}, 'ingressClassName: inner')],
    ['a'],
    {},
  ],
  [
    'a class of ours',
    [classObject('h', 'headgate.dev/ingress-controller'), ingress('a', {}, 'ingressClassName: h')],
    ['a'],
    {},
  ],
  [
    "another controller's class",
    [
      classObject('alb', 'ingress.k8s.aws/alb'),
      ingress('a', {}, 'ingressClassName: alb'),
      ingress('b', { 'kubernetes.io/ingress.class': 'alb' }),
    ],
    [],
    { alb: 2 },
  ],
]

for (const [title, documents, judged, others] of classCases) {
  test(`migrate judges what moves: ${title}`, async (t) => {
    const { found } = await report(t, documents)
    assert.deepEqual(
      found.objects.map(({ name }) => name),
      judged,
    )
    assert.deepEqual(found.otherClasses, others)
  })
}

test('migrate: the ConfigMap by --configmap, or by its usual name', async (t) => {
  const usual = configMap('ingress-nginx-controller')
  assert.equal((await report(t, [usual])).found.configMap, 'ingress-nginx/ingress-nginx-controller')
  assert.equal((await report(t, [configMap('mine')])).found.objects.length, 0)
  const named = await report(t, [configMap('mine')], '--configmap=ingress-nginx/mine')
  assert.deepEqual(
    named.found.objects[0]?.settings.map(({ key, verdict }) => [key, verdict]),
    [
      ['keep-alife', 'not in force'],
      ['keep-alive', 'honoured'],
    ],
  )
})

test('migrate for people: findings with their reasons, then the sums', async (t) => {
  const folder = createFolder(t, {
    'a.yaml': `${ingress('a', { 'proxy-bdy-size': '8m', 'proxy-body-size': '8m' })}---\n${ingress('b', {})}`,
    'c.yaml': configMap('ingress-nginx-controller'),
    'broken.yaml': '{ not yaml',
  })
  const { code, out } = await call('migrate', folder)
  assert.equal(code, 1)
  assert.match(out, /^\S+broken\.yaml: .*error: .* \(file-unreadable\)$/m)
  assert.match(out, /^Ingress shop\/a \(\S+a\.yaml\): partly$/m)
  assert.match(out, /^ {2}not in force {2}\S+\/proxy-bdy-size: .*did you mean proxy-body-size\?$/m)
  assert.match(out, /^ {2}honoured {6}\S+\/proxy-body-size$/m)
  assert.match(out, /^proxy-body-size +1 +1$/m)
  assert.match(out, /^ConfigMap ingress-nginx\/ingress-nginx-controller was taken for/m)
  assert.match(out, /^1 of ingress-nginx's 136 annotations are used; 1 of them/m)
  assert.match(
    out,
    /^3 objects to move: 2 partly, 1 the same; settings: 2 not in force, 2 honoured$/m,
  )
  assert.doesNotMatch(out, /shop\/b/)
})

function run(input: string) {
  return spawnSync(process.execPath, [main, 'migrate', '-'], { input, encoding: 'utf8' })
}

test('migrate reads lists, and standard input', () => {
  const item = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'a', namespace: 'shop', annotations: { [`${prefix}/enable-cors`]: 'true' } },
    spec: { defaultBackend: { service: { name: 'web', port: { number: 80 } } } },
  }
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [item] }, null, 2)
  const { status, stdout } = run(list)
  assert.equal(status, 0)
  assert.match(stdout, /^Ingress shop\/a \(standard input\): the same$/m)
  const yaml = run(`apiVersion: v1\nkind: List\nitems:\n  - ${JSON.stringify(item)}\n`)
  assert.match(yaml.stdout, /^Ingress shop\/a \(standard input\): the same$/m)
  const nothing = run('')
  assert.equal(nothing.status, 1)
  assert.match(nothing.stdout, /^standard input: error: is empty/)
})

test('migrate called wrongly: one line and 2', async () => {
  for (const args of [['migrate'], ['migrate', '--output=xml', '-']]) {
    const { code, err } = await call(...args)
    assert.equal(code, 2)
    assert.equal(err.trimEnd().split('\n').length, 1)
  }
})
