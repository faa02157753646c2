import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Reviewer } from '#src/admission/reviewer.ts'
import { defaultCompileSettings } from '#src/compile/settings.ts'
import { createLogger } from '#src/observe/log.ts'
import type { AnyObject } from '#src/snapshot/objects.ts'
import type { Snapshot } from '#src/snapshot/snapshot.ts'
import { Store } from '#src/snapshot/store.ts'
import { certificateReaders } from '#src/transport/certificate-readers.ts'
import { ingress, ingressClass, nginx, prefix, service, to } from '#test/compile/builders.ts'

const logged: string[] = []

function reviewer(snapshot: Snapshot): Reviewer {
  const made = new Reviewer({
    settings: defaultCompileSettings,
    readers: certificateReaders,
    now: () => Date.UTC(2026, 10, 29),
    log: createLogger({
      format: 'text',
      level: 'debug',
      now: () => 0,
      write: (l) => logged.push(l),
    }),
  })
  made.use(snapshot)
  return made
}

function snapshotOf(objects: readonly AnyObject[]): Snapshot {
  const store = new Store()
  for (const object of objects) store.put(object)
  return store.freeze()
}

const cluster = [ingressClass('headgate'), service('web')]
const old = ingress('old', {
  meta: { createdMs: 1000 },
  hosts: { 'taken.example': [prefix('/')] },
})

interface Made {
  readonly name?: string
  readonly host?: string
  readonly className?: string
  readonly annotations?: Readonly<Record<string, string>>
  readonly service?: string
  readonly spec?: Readonly<Record<string, unknown>>
}

/** The object as the API server sends it. */
function raw({ name = 'new', host = 'new.example', className = 'headgate', ...more }: Made = {}) {
  const backend = { service: { name: more.service ?? 'web', port: { number: 80 } } }
  const paths = [{ path: '/', pathType: 'Prefix', backend }]
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, namespace: 'shop', annotations: more.annotations ?? {} },
    spec: more.spec ?? { ingressClassName: className, rules: [{ host, http: { paths } }] },
  }
}

function ask(snapshot: Snapshot, object: object, operation = 'CREATE', kind = 'Ingress') {
  const { metadata } = object as ReturnType<typeof raw>
  const { answer, outcome } = reviewer(snapshot).answer({
    uid: 'u-1',
    group: 'networking.k8s.io',
    kind,
    operation,
    namespace: metadata.namespace,
    name: metadata.name,
    object: object as Record<string, unknown>,
  })
  return { ...answer, outcome, message: answer.status?.message ?? '' }
}

const snapshot = snapshotOf([...cluster, old])

test('what works is allowed without a word', () => {
  assert.deepEqual(ask(snapshot, raw()), {
    uid: 'u-1',
    allowed: true,
    outcome: 'allowed',
    message: '',
  })
})

const refusals: readonly [what: string, object: object, message: RegExp][] = [
  [
    'a bad value',
    raw({ annotations: nginx({ 'proxy-body-size': 'much' }) }),
    /^nginx\.ingress\.kubernetes\.io\/proxy-body-size: .*"much"$/,
  ],
  [
    'a misspelt key',
    raw({ annotations: nginx({ 'proxy-body-sizes': '1m' }) }),
    /proxy-body-sizes: .*proxy-body-size/,
  ],
  [
    'a snippet',
    raw({ annotations: nginx({ 'configuration-snippet': 'return 200;' }) }),
    /configuration-snippet: /,
  ],
  [
    'a regular expression',
    raw({ annotations: nginx({ 'rewrite-target': '/$x' }) }),
    /rewrite-target/,
  ],
  [
    'a route of an older Ingress',
    raw({ host: 'taken.example' }),
    /^spec\.rules\[0\]\.http\.paths\[0\]: taken\.example .* belongs to Ingress shop\/old/,
  ],
  ['a host that is none', raw({ host: 'a_b' }), /^spec\.rules\[0\]\.host: .*"a_b"/],
  [
    'an object that is no valid Ingress',
    raw({ spec: { ingressClassName: 'headgate', rules: 'none' } }),
    /^spec\.rules: must be a list, got "none"/,
  ],
  [
    'neither rules nor backend',
    raw({ spec: { ingressClassName: 'headgate' } }),
    /^spec: has neither/,
  ],
]

for (const [what, object, message] of refusals) {
  test(`${what} is refused, with field and value`, () => {
    const answer = ask(snapshot, object)
    assert.equal(answer.allowed, false, String(answer.warnings))
    assert.match(answer.message, message)
    assert.equal(answer.status?.code, 422)
    assert.equal(answer.outcome, 'denied')
  })
}

test('what other objects may still bring is a warning', () => {
  const answer = ask(snapshot, raw({ service: 'later' }))
  assert.equal(answer.allowed, true)
  assert.equal(answer.outcome, 'warned')
  assert.match(answer.warnings?.[0] ?? '', /Ingress shop\/new: .*later.*The route answers 503\.$/)
  const classless = ask(snapshot, raw({ className: 'nobody' }))
  assert.match(classless.warnings?.[0] ?? '', /IngressClass "nobody" does not exist/)
})

test('what is not ours is allowed, however wrong', () => {
  const theirs = snapshotOf([...cluster, ingressClass('theirs', 'example.com/theirs')])
  const annotations = nginx({ 'proxy-body-size': 'much' })
  assert.deepEqual(ask(theirs, raw({ className: 'theirs', annotations })).warnings, undefined)
  const invalid = raw({ spec: { ingressClassName: 'theirs', rules: 'none' } })
  assert.equal(ask(theirs, invalid).allowed, true)
  assert.equal(ask(snapshot, raw({ annotations }), 'DELETE').allowed, true)
  assert.equal(ask(snapshot, raw({ annotations }), 'CREATE', 'Service').allowed, true)
})

test('what was wrong before does not block another change', () => {
  const annotations = nginx({ 'proxy-body-size': 'much' })
  const stored = ingress('new', { annotations, hosts: { 'new.example': [prefix('/', to('web'))] } })
  const before = snapshotOf([...cluster, stored])
  const relabelled = ask(before, raw({ annotations }), 'UPDATE')
  assert.equal(relabelled.allowed, true)
  assert.match(relabelled.warnings?.[0] ?? '', /proxy-body-size/)
  const worse = raw({ annotations: { ...annotations, ...nginx({ 'proxy-read-timeout': 'x' }) } })
  const answer = ask(before, worse, 'UPDATE')
  assert.equal(answer.allowed, false)
  assert.match(answer.message, /^nginx\.ingress\.kubernetes\.io\/proxy-read-timeout/)
})

test('an older Ingress that takes the route of another is told so', () => {
  const younger = ingress('younger', {
    meta: { createdMs: 5000 },
    hosts: { 'theirs.example': [prefix('/')] },
  })
  const answer = ask(
    snapshotOf([...cluster, old, younger]),
    raw({ name: 'old', host: 'theirs.example' }),
    'UPDATE',
  )
  assert.equal(answer.allowed, true)
  assert.match(answer.warnings?.[0] ?? '', /^Ingress shop\/younger: .*belongs to Ingress shop\/old/)
})

test('an Ingress without a name yet is judged, too', () => {
  const { metadata, ...rest } = raw({ host: 'taken.example' })
  const { name: _, ...nameless } = metadata
  const unnamed = { ...rest, metadata: { ...nameless, generateName: 'web-' } }
  assert.equal(ask(snapshot, unnamed).allowed, false)
})

test('nothing that was asked about is in the snapshot afterwards', () => {
  const before = [...snapshot.all('Ingress')]
  ask(snapshot, raw())
  assert.deepEqual([...snapshot.all('Ingress')], before)
})

test('a fault of ours lets the object pass, with a word and a log line', () => {
  const broken: Snapshot = {
    ...snapshot,
    all: () => {
      throw new Error('broken')
    },
  }
  const answer = ask(broken, raw())
  assert.equal(answer.allowed, true)
  assert.equal(answer.outcome, 'unchecked')
  assert.match(answer.warnings?.[0] ?? '', /^not checked by headgate: it failed/)
  assert.match(logged.join('\n'), /an admission review failed object="?Ingress shop\/new/)
})

test('before there is a snapshot everything passes', () => {
  const made = new Reviewer({
    settings: defaultCompileSettings,
    readers: certificateReaders,
    now: () => 0,
    log: createLogger({ format: 'text', level: 'debug', now: () => 0, write: () => undefined }),
  })
  const review = {
    uid: 'u',
    group: '',
    kind: '',
    operation: '',
    namespace: '',
    name: '',
    object: {},
  }
  assert.equal(made.answer(review).outcome, 'unchecked')
})
