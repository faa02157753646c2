import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { defaultCompileSettings } from '#src/compile/settings.ts'
import { Controller } from '#src/controller/controller.ts'
import { createLogger } from '#src/observe/log.ts'
import type { AnyObject } from '#src/snapshot/objects.ts'
import { parseFile } from '#src/sources/files/parse-file.ts'
import type { NameAnswer } from '#src/sources/names/lookup.ts'
import type { Source, SourceChange, SourceOwner } from '#src/sources/source.ts'
import type { TableDelta } from '#src/table/table.ts'
import { issue } from '#test/transport/certificates.ts'
import type { FromControlPlane, KeptCertificate } from '#src/workers/messages.ts'

const limits = { timeout: 30_000 }

function objectsOf(yaml: string): readonly AnyObject[] {
  const parsed = parseFile(yaml, 'test.yaml')
  assert.ok(parsed.ok)
  return parsed.objects
}

const ingress = (host: string): string => `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: ${host}, namespace: test }
spec: { rules: [{ host: ${host}, http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: web, port: { number: 80 } } } }] } }] }
---`
const service = (spec: string): string => `
apiVersion: v1
kind: Service
metadata: { name: web, namespace: test }
spec: ${spec}
---`
const plainService = service('{ ports: [{ port: 80 }] }')

/** A source of the test's own. */
class FakeSource implements Source {
  readonly diagnostics = []
  readonly status = { kind: 'files', description: 'fake', synced: true, objects: 0 } as const
  readonly owner: SourceOwner
  readonly #first: SourceChange | Error

  constructor(owner: SourceOwner, first: SourceChange | Error) {
    this.owner = owner
    this.#first = first
  }

  async start(): Promise<void> {
    if (this.#first instanceof Error) throw this.#first
    this.owner.onChange(this.#first)
    await Promise.resolve()
  }

  async stop(): Promise<void> {
    await Promise.resolve()
  }
}

interface StartOptions {
  readonly version?: number
  readonly certificate?: KeptCertificate
  readonly lookup?: (name: string) => Promise<NameAnswer>
}

function create(t: TestContext, first: SourceChange | Error, options: StartOptions = {}) {
  const posted: FromControlPlane[] = []
  const logged: string[] = []
  const waiting: (() => void)[] = []
  let source: FakeSource | undefined
  const controller = new Controller({
    settings: {
      files: 'fake',
      compile: { ...defaultCompileSettings, source: 'files', watchIngressWithoutClass: true },
    },
    version: options.version ?? 0,
    certificate: options.certificate,
    createSource: (owner) => (source = new FakeSource(owner, first)),
    lookup: options.lookup ?? (() => Promise.reject(new Error('no name is known'))),
    post: (message) => {
      posted.push(message)
      for (const wake of waiting.splice(0)) wake()
    },
    log: createLogger({
      format: 'json',
      level: 'info',
      now: () => 0,
      write: (l) => logged.push(l),
    }),
    now: Date.now,
  })
  t.after(async () => {
    await controller.stop()
  })
  const tables = (): TableDelta[] =>
    posted.flatMap((message) => (message.kind === 'table' ? [message.delta] : []))
  return {
    controller,
    posted,
    logged,
    tables,
    change: (change: Partial<SourceChange>) =>
      source?.owner.onChange({ put: [], deleted: [], ...change }),
    /** Resolves at the next table behind the first `count` ones. */
    tableAfter: async (count: number): Promise<TableDelta> => {
      while (tables().length <= count) await new Promise<void>((resolve) => waiting.push(resolve))
      return tables()[count] as TableDelta
    },
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1))
}

const hostsOf = ({ hosts }: TableDelta): (string | undefined)[] =>
  [...hosts.values()].map((host) => host?.pattern)

const namesOf = ({ certificates }: TableDelta) =>
  [...certificates.values()].flatMap((certificate) => certificate?.names ?? [])

test('the first table is whole and passes the version of the last life', limits, async (t) => {
  const put = objectsOf(ingress('a.example') + plainService)
  const { controller, tables, posted } = create(t, { put, deleted: [] }, { version: 7 })
  await controller.start()
  const [first] = tables()
  assert.ok(first)
  assert.equal(first.version, 8)
  assert.equal(first.full, true)
  assert.deepEqual(hostsOf(first), ['a.example'])
  const sources = posted.find(({ kind }) => kind === 'sources')
  assert.deepEqual(sources, {
    kind: 'sources',
    sources: [{ kind: 'files', name: 'fake', synced: true, objects: 0 }],
  })
})

test(
  'Secrets and those that refer to them are one table, at the start and later',
  limits,
  async (t) => {
    const given = await Promise.all(
      ['a.example', 'b.example'].map(async (host) => {
        const { certificatePem, keyPem } = await issue({ commonName: host, names: [host] })
        const metadata = { namespace: 'test', name: host }
        const data = { 'tls.crt': certificatePem, 'tls.key': keyPem }
        const secret = { apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/tls', metadata }
        const tls = `spec: { tls: [{ hosts: [${host}], secretName: ${host} }], rules:`
        const yaml = ingress(host).replace('spec: { rules:', tls)
        return objectsOf(`${yaml}\n${JSON.stringify({ ...secret, stringData: data })}`)
      }),
    )
    const [first = [], second = []] = given
    const put = [...first, ...objectsOf(plainService)]
    const { controller, tables, change, tableAfter } = create(t, { put, deleted: [] })
    await controller.start()
    assert.deepEqual(tables().map(namesOf), [['a.example']])
    change({ put: second })
    const next = await tableAfter(1)
    assert.deepEqual([hostsOf(next), namesOf(next)], [['b.example'], ['b.example']])
  },
)

test('changes of one turn are one delta of what differs', limits, async (t) => {
  const put = objectsOf(ingress('a.example') + plainService)
  const { controller, tables, change, tableAfter } = create(t, { put, deleted: [] })
  await controller.start()
  change({ put: objectsOf(ingress('b.example')) })
  change({ put: objectsOf(ingress('c.example')) })
  change({ deleted: [{ kind: 'Ingress', namespace: 'test', name: 'a.example' }] })
  const second = await tableAfter(1)
  assert.equal(second.full, false)
  assert.equal(second.version, 2)
  assert.deepEqual(hostsOf(second), [undefined, 'b.example', 'c.example'])
  assert.equal(second.listeners.size + second.certificates.size, 0)
  assert.equal(tables().length, 2)
})

test('a change that changes nothing makes no table', limits, async (t) => {
  const put = objectsOf(ingress('a.example') + plainService)
  const { controller, change, tableAfter, posted } = create(t, { put, deleted: [] })
  await controller.start()
  change({ put: objectsOf(plainService) })
  await until(() => posted.filter(({ kind }) => kind === 'sources').length === 2)
  change({ put: objectsOf(ingress('b.example')) })
  assert.deepEqual(hostsOf(await tableAfter(1)), ['b.example'])
})

test('a change of a status alone compiles nothing', limits, async (t) => {
  const put = objectsOf(ingress('a.example') + plainService)
  const { controller, change, tableAfter } = create(t, { put, deleted: [] })
  await controller.start()
  const shown = 'status: { loadBalancer: { ingress: [{ ip: 192.0.2.1 }] } }'
  change({ put: objectsOf(ingress('a.example').replace('---', `${shown}\n---`)) })
  await new Promise((resolve) => setImmediate(resolve))
  assert.match(await controller.metrics(), /headgate_compiles_total\{result="success"\} 1\n/)
  change({ put: objectsOf(ingress('b.example')) })
  await tableAfter(1)
  assert.match(await controller.metrics(), /headgate_compiles_total\{result="success"\} 2\n/)
})

test('findings are posted when they change, and logged once', limits, async (t) => {
  const put = objectsOf(ingress('a.example'))
  const { controller, posted, change, tableAfter, logged } = create(t, { put, deleted: [] })
  await controller.start()
  const findings = () =>
    posted.flatMap((message) => (message.kind === 'diagnostics' ? [message] : []))
  assert.deepEqual(findings()[0]?.counts, { error: 1, warning: 0, info: 0 })
  const [shown] = JSON.parse(findings()[0]?.json ?? '') as Record<string, unknown>[]
  assert.deepEqual(shown?.['object'], { kind: 'Ingress', namespace: 'test', name: 'a.example' })
  assert.equal(shown['code'], 'service-missing')
  change({ put: objectsOf(ingress('b.example')) })
  await tableAfter(1)
  change({ put: objectsOf(plainService) })
  await tableAfter(2)
  assert.deepEqual(
    findings().map(({ counts }) => counts.error),
    [1, 2, 0],
  )
  assert.equal(logged.filter((line) => line.includes('"finding"')).length, 2)
})

test('who sees a table in force finds what is said of it', limits, async (t) => {
  const put = objectsOf(ingress('a.example'))
  const { controller, posted, change, tableAfter } = create(t, { put, deleted: [] })
  await controller.start()
  change({ put: objectsOf(plainService) })
  await tableAfter(1)
  const step = ['diagnostics', 'sources', 'table']
  const last = posted.slice(-6).map(({ kind }) => kind)
  assert.deepEqual(last, [...step, ...step])
})

test('a fault of the compiler leaves the last table in force', limits, async (t) => {
  const put = objectsOf(ingress('a.example') + plainService)
  const { controller, change, tables, tableAfter, logged } = create(t, { put, deleted: [] })
  await controller.start()
  const metadata = { namespace: 'test', name: 'broken' }
  const broken = { kind: 'Ingress', metadata, published: [] } as never
  change({ put: [broken] })
  await until(() => /the compiler failed; the last table stays in force/.test(logged.join()))
  assert.equal(tables().length, 1)
  const deleted = [{ kind: 'Ingress', namespace: 'test', name: 'broken' } as const]
  change({ deleted, put: objectsOf(ingress('b.example')) })
  assert.deepEqual(hostsOf(await tableAfter(1)), ['b.example'])
  assert.match(await controller.metrics(), /headgate_compiles_total\{result="failure"\} 1/)
})

test('without a default certificate one is made, and kept over a restart', limits, async (t) => {
  const first = create(t, { put: [], deleted: [] })
  await first.controller.start()
  const made = first.posted.find(({ kind }) => kind === 'certificate')
  assert.ok(made?.kind === 'certificate')
  const { certificate } = made
  const [delta] = first.tables()
  const https = [...(delta?.listeners.values() ?? [])].find((l) => l?.protocol === 'https')
  const shown = delta?.certificates.get(https?.defaultCertificate ?? '')
  assert.equal(shown?.certificatePem.trim(), certificate.certificatePem.trim())

  const second = create(t, { put: [], deleted: [] }, { certificate })
  await second.controller.start()
  assert.ok(!second.posted.some(({ kind }) => kind === 'certificate'))
  assert.deepEqual([...(second.tables()[0]?.certificates.values() ?? [])], [shown])
})

test(
  'the first table waits for names, and a name that fails holds nothing up',
  limits,
  async (t) => {
    const external = service(
      '{ type: ExternalName, externalName: web.test, ports: [{ port: 80 }] }',
    )
    const put = objectsOf(ingress('a.example') + external)
    const answer = Promise.withResolvers<NameAnswer>()
    const good = create(t, { put, deleted: [] }, { lookup: () => answer.promise })
    const started = good.controller.start()
    answer.resolve({ addresses: ['192.0.2.9'], ttlSeconds: 60, problem: '' })
    await started
    const [backend] = good.tables()[0]?.backends.values() ?? []
    assert.deepEqual(
      backend?.endpoints.map(({ address }) => address),
      ['192.0.2.9'],
    )

    const failing = create(t, { put, deleted: [] })
    await failing.controller.start()
    const [empty] = failing.tables()[0]?.backends.values() ?? []
    assert.deepEqual(empty?.endpoints, [])
  },
)

test('a source that cannot be read fails the start', limits, async (t) => {
  const { controller, tables } = create(t, new Error('the folder is gone'))
  await assert.rejects(controller.start(), /the folder is gone/)
  assert.equal(tables().length, 0)
})
