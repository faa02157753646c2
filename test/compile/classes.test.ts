import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AnyObject, Ingress } from '#src/snapshot/objects.ts'
import type { CompileSettings } from '#src/compile/settings.ts'
import { ingress, ingressClass, metadata, web } from './builders.ts'
import { compileObjects, found, whoServes } from './compiling.ts'

const ours = 'headgate.dev/ingress-controller'
const old = 'kubernetes.io/ingress.class'
const preset = { annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' } }

interface Row {
  readonly title: string
  readonly className?: string
  readonly annotation?: string
  readonly classes?: readonly AnyObject[]
  readonly settings?: Partial<CompileSettings>
  readonly served: boolean
  readonly findings?: readonly string[]
}

const rows: readonly Row[] = [
  { title: 'C1 our class', className: 'headgate', served: true },
  {
    title: 'C1 our class by its controller, whatever its name',
    className: 'public',
    classes: [ingressClass('public', ours)],
    served: true,
  },
  {
    title: 'C2 a class of another controller',
    className: 'other',
    classes: [ingressClass('other', 'example.com/x')],
    served: false,
  },
  {
    title: 'our name on a class of another controller',
    className: 'headgate',
    classes: [ingressClass('headgate', 'example.com/x')],
    served: false,
  },
  {
    title: 'our name on a class of another controller, with --ingress-class-by-name',
    className: 'headgate',
    classes: [ingressClass('headgate', 'example.com/x')],
    settings: { ingressClassByName: true },
    served: true,
  },
  {
    title: 'another name, with --ingress-class-by-name',
    className: 'other',
    classes: [ingressClass('other', 'example.com/x')],
    settings: { ingressClassByName: true },
    served: false,
  },
  {
    title: 'C2 a class that does not exist',
    className: 'nope',
    served: false,
    findings: ['class-missing Ingress shop/one spec.ingressClassName'],
  },
  {
    title: 'our class without its object, in a cluster',
    className: 'headgate',
    classes: [],
    served: false,
    findings: ['class-missing Ingress shop/one spec.ingressClassName'],
  },
  {
    title: 'our class without its object, from files',
    className: 'headgate',
    classes: [],
    settings: { source: 'files' },
    served: true,
  },
  { title: 'C3 the annotation with our class', annotation: 'headgate', served: true },
  { title: 'C3 the annotation with another class', annotation: 'nginx', served: false },
  {
    title: 'another class in the annotation, although classless ones are watched',
    annotation: 'nginx',
    settings: { watchIngressWithoutClass: true },
    served: false,
  },
  {
    title: 'an annotation that follows --ingress-class',
    annotation: 'edge',
    settings: { ingressClass: 'edge' },
    served: true,
  },
  {
    title: 'the class wins over the annotation',
    className: 'other',
    annotation: 'headgate',
    classes: [ingressClass('other', 'example.com/x')],
    served: false,
  },
  {
    title: 'the class wins over the annotation, the other way round',
    className: 'headgate',
    annotation: 'nginx',
    served: true,
  },
  { title: 'an empty annotation is none', annotation: '', served: false },
  { title: 'no class', served: false },
  { title: 'no class, watched', settings: { watchIngressWithoutClass: true }, served: true },
  {
    title: 'C4 no class and ours is the default, in a cluster: admission has had its say',
    classes: [ingressClass('headgate', ours, preset)],
    served: false,
  },
  {
    title: 'C4 no class and ours is the default, from files',
    classes: [ingressClass('headgate', ours, preset)],
    settings: { source: 'files' },
    served: true,
  },
  {
    title: 'no class and another is the default',
    classes: [ingressClass('other', 'x/y', preset)],
    settings: { source: 'files' },
    served: false,
  },
  {
    title: 'C5 of several default classes the newest counts',
    classes: [
      ingressClass('a', 'x/y', { ...preset, createdMs: 1 }),
      ingressClass('b', ours, { ...preset, createdMs: 2 }),
    ],
    settings: { source: 'files' },
    served: true,
  },
  {
    title: 'C5 of equally old ones the first by name',
    classes: [ingressClass('b', 'x/y', preset), ingressClass('a', ours, preset)],
    settings: { source: 'files' },
    served: true,
  },
  {
    title: 'another --controller-class',
    className: 'headgate',
    settings: { controllerClass: 'example.com/other' },
    served: false,
  },
]

for (const { title, className, annotation, classes, settings, served, findings = [] } of rows) {
  test(title, () => {
    const one: Ingress = {
      ...ingress('one', annotation === undefined ? {} : { annotations: { [old]: annotation } }),
      className,
    }
    const objects = [...web.filter(({ kind }) => kind !== 'IngressClass'), one]
    const known = classes ?? [ingressClass('headgate')]
    for (const order of [known, known.toReversed()]) {
      const compiled = compileObjects([...objects, ...order], settings)
      assert.equal(whoServes(compiled, 'a.example', '/'), served ? 'web' : '404')
      assert.deepEqual(found(compiled), findings)
    }
  })
}

test('an Ingress of another class is not judged at all', () => {
  const one = ingress('one', {
    className: 'other',
    hosts: { 'bad host': [] },
    annotations: { 'headgate.dev/x': '1' },
  })
  const compiled = compileObjects([...web, ingressClass('other', 'example.com/x'), one])
  assert.deepEqual(found(compiled), [])
})

const labelled: readonly AnyObject[] = ['shop', 'test'].map((name) => ({
  kind: 'Namespace',
  metadata: metadata(name, { namespace: '', labels: { env: name === 'shop' ? 'live' : 'test' } }),
  file: '',
  phase: 'Active',
}))

const scopes: readonly (readonly [string, Partial<CompileSettings>, boolean])[] = [
  ['every namespace', {}, true],
  ['the namespace that is watched', { namespaces: ['shop'] }, true],
  ['another namespace', { namespaces: ['test'] }, false],
  [
    'labels that match',
    { namespaceSelector: [{ key: 'env', operator: 'in', values: ['live'] }] },
    true,
  ],
  [
    'labels that do not',
    { namespaceSelector: [{ key: 'env', operator: 'in', values: ['test'] }] },
    false,
  ],
]

for (const [title, settings, served] of scopes) {
  test(`scope: ${title}`, () => {
    const compiled = compileObjects([...web, ...labelled, ingress('one')], settings)
    assert.equal(whoServes(compiled, 'a.example', '/'), served ? 'web' : '404')
  })
}

test('scope: a namespace that is not known matches no selector', () => {
  const namespaceSelector = [{ key: 'env', operator: 'absent', values: [] } as const]
  const compiled = compileObjects([...web, ingress('one')], { namespaceSelector })
  assert.equal(whoServes(compiled, 'a.example', '/'), '404')
})
