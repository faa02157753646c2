import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AnyObject, IngressTls, Secret } from '#src/snapshot/objects.ts'
import type { Host } from '#src/table/table.ts'
import type { Compiled } from '#src/compile/compiler.ts'
import { printTable } from '#src/table/print.ts'
import { ingress, prefix, secret, to, web } from './builders.ts'
import { compileObjects, found } from './compiling.ts'

function certificate(name: string, names: string, until = '2027-01-01'): Secret {
  return secret(name, { 'tls.crt': `names ${names} until ${until}`, 'tls.key': 'the key' })
}

function tls(hosts: readonly string[], secretName: string): IngressTls {
  return { hosts, secretName }
}

function hostOf({ table }: Compiled, pattern: string): Host | undefined {
  return [...table.hosts.values()].find((host) => host.pattern === pattern)
}

/** `tls` and the Secret's name of one host. */
function served(compiled: Compiled, pattern = 'a.example'): readonly [boolean | undefined, string] {
  const host = hostOf(compiled, pattern)
  const key = host?.certificate
  const origin = key === undefined ? undefined : compiled.table.certificates.get(key)?.origin
  return [host?.tls, origin === undefined ? '' : `${origin.namespace}/${origin.name}`]
}

interface Row {
  readonly title: string
  readonly host?: string
  readonly sections: readonly IngressTls[]
  readonly objects?: readonly AnyObject[]
  readonly expected: readonly [boolean, string]
  readonly findings?: readonly string[]
}

const field = 'Ingress shop/one spec.tls[0].secretName'

const rows: readonly Row[] = [
  { title: 'no section', sections: [], expected: [false, ''] },
  {
    title: 'T1 the Secret of the section that names the host',
    sections: [tls(['b.example'], 'x'), tls(['a.example'], 'one')],
    objects: [certificate('one', 'a.example'), certificate('x', 'a.example b.example')],
    expected: [true, 'shop/one'],
    findings: ['tls-host-unused Ingress shop/one spec.tls[0].hosts[0]'],
  },
  {
    title: 'a host in upper case',
    sections: [tls(['A.Example'], 'one')],
    objects: [certificate('one', 'a.example')],
    expected: [true, 'shop/one'],
  },
  {
    title: 'T1 a wildcard certificate',
    sections: [tls(['a.example'], 'one')],
    objects: [certificate('one', '*.example')],
    expected: [true, 'shop/one'],
  },
  {
    title: 'T1 a section that names the host by a wildcard',
    sections: [tls(['*.example'], 'one')],
    objects: [certificate('one', '*.example')],
    expected: [true, 'shop/one'],
  },
  {
    title: 'the name itself goes before a wildcard',
    sections: [tls(['*.example'], 'wild'), tls(['a.example'], 'one')],
    objects: [certificate('wild', '*.example'), certificate('one', 'a.example')],
    expected: [true, 'shop/one'],
  },
  {
    title: 'a wildcard host',
    host: '*.example',
    sections: [tls(['*.example'], 'one')],
    objects: [certificate('one', '*.example')],
    expected: [true, 'shop/one'],
  },
  {
    title: 'T3 a section without hosts is for what its certificate covers',
    sections: [tls([], 'one')],
    objects: [certificate('one', 'b.example a.example')],
    expected: [true, 'shop/one'],
  },
  {
    title: 'T3 and for nothing else',
    sections: [tls([], 'one')],
    objects: [certificate('one', 'b.example')],
    expected: [false, ''],
    findings: [`certificate-mismatch ${field}`],
  },
  {
    title: 'T4 a section without Secret: the default certificate',
    sections: [tls(['a.example'], '')],
    expected: [true, ''],
  },
  {
    title: 'T5 a missing Secret: the default certificate',
    sections: [tls(['a.example'], 'gone')],
    expected: [true, ''],
    findings: [`secret-missing ${field}`],
  },
  {
    title: 'T5 a Secret of another namespace is not seen',
    sections: [tls(['a.example'], 'one')],
    objects: [
      secret(
        'one',
        { 'tls.crt': 'names a.example until 2027-01-01', 'tls.key': 'k' },
        { namespace: 'other' },
      ),
    ],
    expected: [true, ''],
    findings: [`secret-missing ${field}`],
  },
  {
    title: 'T5 a Secret that holds no certificate',
    sections: [tls(['a.example'], 'one')],
    objects: [secret('one', { 'tls.crt': 'nonsense', 'tls.key': 'k' })],
    expected: [true, ''],
    findings: [`certificate-invalid ${field}`],
  },
  {
    title: 'T5 a key that does not fit',
    sections: [tls(['a.example'], 'one')],
    objects: [secret('one', { 'tls.crt': 'names a.example until 2027-01-01', 'tls.key': 'wrong' })],
    expected: [true, ''],
    findings: [`certificate-invalid ${field}`],
  },
  {
    title: 'a Secret without key',
    sections: [tls(['a.example'], 'one')],
    objects: [secret('one', { 'tls.crt': 'x' })],
    expected: [true, ''],
    findings: [`certificate-invalid ${field}`],
  },
  {
    title: 'a Secret without certificate',
    sections: [tls(['a.example'], 'one')],
    objects: [secret('one', { 'tls.key': 'x' })],
    expected: [true, ''],
    findings: [`certificate-invalid ${field}`],
  },
  {
    title: 'a certificate for another host: the default certificate, as in ingress-nginx',
    sections: [tls(['a.example'], 'one')],
    objects: [certificate('one', 'b.example')],
    expected: [true, ''],
    findings: [`certificate-mismatch ${field}`],
  },
  {
    title: 'a certificate that has expired is served, and reported',
    sections: [tls(['a.example'], 'one')],
    objects: [certificate('one', 'a.example', '2026-11-24')],
    expected: [true, 'shop/one'],
    findings: [`certificate-expired ${field}`],
  },
  {
    title: 'a certificate that is not valid yet is served, and reported',
    sections: [tls(['a.example'], 'one')],
    objects: [certificate('one', 'a.example', '2027-01-01 from 2026-12-01')],
    expected: [true, 'shop/one'],
    findings: [`certificate-early ${field}`],
  },
  {
    title: 'what was put right about a certificate is told',
    sections: [tls(['a.example'], 'one')],
    objects: [certificate('one', 'a.example', '2027-01-01 out of order')],
    expected: [true, 'shop/one'],
    findings: [`certificate-repaired ${field}`],
  },
  {
    title: 'a section for hosts without rules has no effect',
    sections: [tls(['b.example', '*.a.example', 'not a name'], 'one')],
    objects: [certificate('one', 'b.example')],
    expected: [false, ''],
    findings: [0, 1, 2].map((i) => `tls-host-unused Ingress shop/one spec.tls[0].hosts[${i}]`),
  },
  {
    title: 'a certificate that happens to cover the host is not searched for',
    sections: [tls(['b.example'], 'one')],
    objects: [certificate('one', 'a.example b.example')],
    expected: [false, ''],
    findings: ['tls-host-unused Ingress shop/one spec.tls[0].hosts[0]'],
  },
]

for (const { title, host = 'a.example', sections, objects = [], expected, findings = [] } of rows) {
  test(title, () => {
    const one = ingress('one', { hosts: { [host]: [prefix('/')] }, tls: sections })
    const compiled = compileObjects([...web, one, ...objects])
    assert.deepEqual(served(compiled, host), expected)
    assert.deepEqual(found(compiled), findings)
    assert.equal(compiled.table.certificates.size, expected[1] === '' ? 0 : 1)
  })
}

test('a host without rules of its own gets no certificate, nor does the host for all others', () => {
  const one = ingress('one', {
    hosts: { '': [prefix('/')] },
    tls: [tls([], 'one'), tls([''], 'one')],
  })
  const compiled = compileObjects([...web, one, certificate('one', 'a.example')])
  assert.deepEqual(served(compiled, ''), [false, ''])
})

test('a TLS section of one Ingress holds for the host, whoever else has rules for it', () => {
  const compiled = compileObjects([
    ...web,
    ingress('one', { hosts: { 'a.example': [prefix('/x')] } }),
    ingress('two', { hosts: { 'a.example': [prefix('/y')] }, tls: [tls(['a.example'], 'two')] }),
    certificate('two', 'a.example'),
  ])
  assert.deepEqual(served(compiled), [true, 'shop/two'])
  const names = hostOf(compiled, 'a.example')?.rules.map(({ policies }) =>
    policies.map(({ name }) => name),
  )
  assert.deepEqual(names, [['ssl-redirect'], ['ssl-redirect']])
})

test('an Ingress that has no rule for a host cannot bind its certificate', () => {
  const compiled = compileObjects([
    ...web,
    ingress('one'),
    ingress('evil', {
      hosts: { 'b.example': [prefix('/')] },
      tls: [tls(['a.example'], 'mine')],
      meta: { namespace: 'evil' },
    }),
    certificate('mine', 'a.example'),
  ])
  assert.deepEqual(served(compiled), [false, ''])
})

test('of two Secrets for one host the older Ingress decides, and the other is told', () => {
  const young = ingress('aaa', {
    hosts: { 'a.example': [prefix('/x')] },
    tls: [tls(['a.example'], 'x')],
    meta: { createdMs: 2 },
  })
  const old = ingress('zzz', {
    hosts: { 'a.example': [prefix('/y')] },
    tls: [tls(['a.example'], 'y')],
    meta: { createdMs: 1 },
  })
  const compiled = compileObjects([
    ...web,
    young,
    old,
    certificate('x', 'a.example'),
    certificate('y', 'a.example'),
  ])
  assert.deepEqual(served(compiled), [true, 'shop/y'])
  assert.deepEqual(found(compiled), [
    'certificate-conflict Ingress shop/aaa spec.tls[0].secretName',
  ])
})

test('the same Secret in two Ingresses is no conflict', () => {
  const made = ['one', 'two'].map((name) =>
    ingress(name, { hosts: { 'a.example': [prefix(`/${name}`)] }, tls: [tls(['a.example'], 'x')] }),
  )
  assert.deepEqual(found(compileObjects([...web, ...made, certificate('x', 'a.example')])), [])
})

test('the default certificate is on the https listener, and reported when it cannot be used', () => {
  const name = { namespace: 'shop', name: 'preset' }
  const good = compileObjects([...web, certificate('preset', 'x.example')], {
    defaultCertificate: name,
  })
  const listeners = [...good.table.listeners.values()]
  assert.deepEqual(
    listeners.map(({ protocol, defaultCertificate }) => [
      protocol,
      defaultCertificate !== undefined,
    ]),
    [
      ['http', false],
      ['https', true],
    ],
  )
  assert.equal(good.table.certificates.size, 1)
  assert.deepEqual(found(good), [])
  const missing = compileObjects(web, { defaultCertificate: name })
  assert.deepEqual(found(missing), ['secret-missing Secret shop/preset '])
  const expired = compileObjects([certificate('preset', 'x', '2020-01-01')], {
    defaultCertificate: name,
  })
  assert.deepEqual(found(expired), ['certificate-expired Secret shop/preset '])
})

test('the Secrets that are named are told, whether or not they exist', () => {
  const one = ingress('one', {
    tls: [tls(['a.example'], 'gone'), tls([], 'other'), tls(['a.example'], '')],
  })
  const { references } = compileObjects([...web, one], {
    defaultCertificate: { namespace: 'x', name: 'y' },
  })
  assert.deepEqual(references.secrets, [
    { namespace: 'shop', name: 'gone' },
    { namespace: 'shop', name: 'other' },
    { namespace: 'x', name: 'y' },
  ])
})

test('no key is ever shown: not in the printed table, not in a finding', () => {
  const sections = [tls(['a.example'], 'good'), tls(['b.example'], 'bad')]
  const one = ingress('one', {
    hosts: { 'a.example': [prefix('/')], 'b.example': [prefix('/', to('web'))] },
    tls: sections,
  })
  const good = secret('good', {
    'tls.crt': 'names a.example until 2027-01-01',
    'tls.key': 's3cret-1',
  })
  const bad = secret('bad', { 'tls.crt': 's3cret-2', 'tls.key': 's3cret-3' })
  const compiled = compileObjects([...web, one, good, bad])
  const shown = printTable(compiled.table) + JSON.stringify(compiled.diagnostics)
  assert.ok(!shown.includes('s3cret'))
  assert.ok(shown.includes('fingerprint=of a.example'))
})
