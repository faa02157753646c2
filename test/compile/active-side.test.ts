import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AnyObject } from '#src/snapshot/objects.ts'
import { endpoint, ingress, ingressClass, prefix, service, slice, to } from './builders.ts'
import type { Annotations } from './builders.ts'
import { Compiler } from '#src/compile/compiler.ts'
import { Store } from '#src/snapshot/store.ts'
import { compileObjects, fakeReaders, found, nowMs, settings } from './compiling.ts'

const active = (name: string): Annotations => ({ 'headgate.dev/active-service': name })

interface Case {
  readonly title: string
  readonly ingressSays?: string
  readonly serviceSays?: string
  /** Addresses of the endpoints; absent: the Service does not exist. `!` before one: not ready. */
  readonly blue?: readonly string[] | undefined
  readonly green?: readonly string[]
  readonly greenPort?: number
  /** The Service that is asked. */
  readonly asked: string | undefined
  readonly findings?: readonly string[]
}

const unused = (object: string): string =>
  `active-service-unused ${object} headgate.dev/active-service`

const cases: readonly Case[] = [
  { title: 'nobody says anything', asked: 'blue' },
  { title: 'the Ingress', ingressSays: 'green', asked: 'green' },
  { title: 'the Service', serviceSays: 'green', asked: 'green' },
  {
    title: 'the Ingress before the Service',
    ingressSays: 'blue',
    serviceSays: 'green',
    asked: 'blue',
  },
  { title: 'the way back', serviceSays: 'blue', asked: 'blue' },
  {
    title: 'the own Service does not exist',
    ingressSays: 'green',
    blue: undefined,
    asked: 'green',
  },
  {
    title: 'a Service that does not exist',
    ingressSays: 'grene',
    asked: 'blue',
    findings: [unused('Ingress shop/web')],
  },
  {
    title: 'no such port',
    serviceSays: 'green',
    greenPort: 81,
    asked: 'blue',
    findings: [unused('Service shop/blue')],
  },
  {
    title: 'nobody is ready there',
    serviceSays: 'green',
    green: ['!10.0.0.2'],
    asked: 'blue',
    findings: [unused('Service shop/blue')],
  },
  { title: 'nobody is ready anywhere', serviceSays: 'green', blue: [], green: [], asked: 'green' },
  {
    title: 'no name at all',
    ingressSays: 'Not A Name',
    asked: 'blue',
    findings: ['annotation-invalid Ingress shop/web headgate.dev/active-service'],
  },
]

function side(name: string, addresses: readonly string[], port = 80, says = ''): AnyObject[] {
  const endpoints = addresses.map((text) =>
    endpoint(text.replace('!', ''), { ready: !text.startsWith('!') }),
  )
  return [
    service(name, {
      meta: { annotations: says === '' ? {} : active(says) },
      ports: [{ name: 'http', port, targetPort: 8080, protocol: 'TCP', appProtocol: '' }],
    }),
    slice(`${name}-1`, name, endpoints),
  ]
}

for (const {
  title,
  ingressSays,
  serviceSays = '',
  greenPort,
  asked,
  findings = [],
  ...given
} of cases) {
  test(`the active side: ${title}`, () => {
    const blue = Object.hasOwn(given, 'blue') ? given.blue : ['10.0.0.1']
    const compiled = compileObjects(
      [
        ingressClass('headgate'),
        ingress('web', {
          annotations: ingressSays === undefined ? {} : active(ingressSays),
          hosts: { 'a.example': [prefix('/', to('blue')), prefix('/b', to('blue'))] },
        }),
        ...(blue === undefined ? [] : side('blue', blue, 80, serviceSays)),
        ...side('green', given.green ?? ['10.0.0.2'], greenPort),
      ],
      { configMap: undefined },
    )
    const rules = [...compiled.table.hosts.values()].flatMap((host) => host.rules)
    assert.deepEqual(
      rules.map(({ backends }) => backends[0]?.service),
      [asked, asked],
    )
    assert.deepEqual(found(compiled), findings)
  })
}

test('a switch that waits is made, and taken back, when endpoints alone change', () => {
  const store = new Store()
  const objects = [
    ingressClass('headgate'),
    ingress('web', { hosts: { 'a.example': [prefix('/', to('blue'))] } }),
    ...side('blue', ['10.0.0.1'], 80, 'green'),
    ...side('green', ['!10.0.0.2']),
  ]
  for (const object of objects) store.put(object)
  const compiler = new Compiler({ ...settings, configMap: undefined }, fakeReaders)
  const asked = (): string | undefined => {
    const { table } = compiler.compile(store.freeze(), nowMs)
    return [...table.hosts.values()][0]?.rules[0]?.backends[0]?.service
  }
  assert.equal(asked(), 'blue')
  store.put(slice('green-1', 'green', [endpoint('10.0.0.2')]))
  assert.equal(asked(), 'green')
  store.put(slice('green-1', 'green', []))
  assert.equal(asked(), 'blue')
})
