import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Compatibility } from '#src/annotations/schema.ts'
import { annotationSchema, optionSchema } from '#src/compile/values/schema.ts'
import { printTable } from '#src/table/print.ts'
import {
  configMap,
  ingress,
  metadata,
  nginx,
  prefix,
  secret,
  service,
  slice,
  to,
  web,
} from '#test/compile/builders.ts'
import { compileObjects } from '#test/compile/compiling.ts'
import { comparisons } from '#test/nginx/groups/index.ts'
import { snippetsOn } from '#test/snippets/snippet-rule.ts'
import { claims, notCompared } from './claims.ts'

// A key may be called `same` or `translated` only where a line of claims.ts shows it: by a value in
// force, by a bad one, beside others, and by tests of what it does to requests.

const root = join(import.meta.dirname, '../..')
const claimed: ReadonlySet<Compatibility> = new Set(['same', 'translated'])
const keys = Object.entries(annotationSchema)
  .filter(([, { compatibility }]) => claimed.has(compatibility))
  .map(([key]) => key)

test('every key that is called same or translated has its line, and no other has one', () => {
  assert.deepEqual(claims.map(({ key }) => key).toSorted(), keys.toSorted())
})

const compared: ReadonlySet<string> = new Set(comparisons.map(({ key }) => key))

test('every key is compared with nginx itself, or has the reason why not', (t) => {
  const claimedAndCompared = keys.filter((key) => compared.has(key))
  t.diagnostic(`${keys.length} keys, ${claimedAndCompared.length} of them compared with nginx`)
  const accounted = [...claimedAndCompared, ...Object.keys(notCompared)]
  assert.deepEqual(accounted.toSorted(), keys.toSorted())
  for (const key of compared) assert.ok(key in annotationSchema || key in optionSchema, key)
  for (const why of Object.values(notCompared)) assert.ok(why.length > 30, why)
})

const options = { ...snippetsOn, 'global-allowed-response-headers': 'X-Custom' }
/** Options under which a key has something to say. */
const optionsFor: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'enable-global-auth': { 'global-auth-url': 'http://192.0.2.2/check' },
}

/** What values may refer to. */
const others = [
  ...web,
  service('green'),
  slice('green-1', 'green', ['10.0.0.9']),
  service('sorry'),
  slice('sorry-1', 'sorry', ['10.0.0.8']),
  { ...configMap({ 'X-Custom': '1' }), metadata: metadata('fields') },
  secret('users', { auth: 'u:{PLAIN}p' }),
  secret('upstream', { 'ca.crt': '-----BEGIN CERTIFICATE-----' }),
  secret('ca', { 'ca.crt': 'authorities one' }),
]

for (const claim of claims) {
  const { key, value, effect, badValue, code, tests } = claim
  const beside = read(claim.beside)

  test(`${key}: ${value} is in force`, () => {
    const without = compiled(key, beside)
    const shown = compiled(key, { ...beside, [key]: value })
    if (effect === '=') {
      assert.equal(shown.text, without.text)
      assert.deepEqual(shown.findings, without.findings)
      return
    }
    assert.notEqual(shown.text, without.text, shown.text)
    assertSaid(shown.text, effect)
  })

  test(`${key}: ${badValue} is reported`, () => {
    const shown = compiled(key, { ...beside, [key]: badValue })
    const found = shown.findings.filter(({ field }) => field.endsWith(`/${key}`))
    assert.deepEqual([...new Set(found.map((finding) => finding.code))], [code])
    const valid = compiled(key, { ...beside, [key]: value })
    if (effect !== '=') assert.notEqual(shown.text, valid.text)
  })

  test(`${key}: ${value}, beside ${claim.others}`, () => {
    const shown = compiled(key, { ...beside, [key]: value, ...read(claim.others) })
    for (const said of claim.effectThen.split(/ (?=\w+=\d)/)) assertSaid(shown.text, said)
  })

  test(`${key}: its tests are there`, () => {
    assert.ok(tests.length > 0 || compared.has(key))
    for (const [file, needle] of tests) {
      assert.ok(existsSync(join(root, file)), `${file} does not exist`)
      assert.ok(readFileSync(join(root, file), 'utf8').includes(needle), `${file} lacks ${needle}`)
    }
  })
}

/** `a=b & c=d`. */
function read(cell: string): Record<string, string> {
  return Object.fromEntries(
    cell
      .split(' & ')
      .filter(Boolean)
      .map((pair) => {
        const equals = pair.indexOf('=')
        return [pair.slice(0, equals), pair.slice(equals + 1)]
      }),
  )
}

function compiled(key: string, annotations: Readonly<Record<string, string>>) {
  const prefixed: Record<string, string> = {}
  for (const [name, text] of Object.entries(annotations)) {
    Object.assign(prefixed, name.includes('/') ? { [name]: text } : nginx({ [name]: text }))
  }
  const canary = key.includes('canary')
  const own = ingress('one', {
    annotations: prefixed,
    // A redirect to https is asked for by a TLS section.
    tls: key === 'ssl-redirect' ? [{ hosts: ['a.example'], secretName: '' }] : [],
    hosts: { 'a.example': [prefix('/', to(canary ? 'green' : 'web'))] },
  })
  const primary = canary ? [ingress('primary', { meta: { createdMs: -1 } })] : []
  const { table, diagnostics } = compileObjects(
    [...others, configMap({ ...options, ...optionsFor[key] }), ...primary, own],
    { sslPassthrough: true },
  )
  const findings = diagnostics.map((finding) => ({ field: finding.field, code: finding.code }))
  // What the printed form leaves out.
  const whole = JSON.stringify([...table.hosts.values(), ...table.backends.values()])
  return { text: `${printTable(table)}\n${whole}`, findings }
}

function assertSaid(text: string, said: string): void {
  if (said.startsWith('!'))
    assert.ok(!text.includes(said.slice(1)), `${text}\nsays ${said.slice(1)}`)
  else assert.ok(text.includes(said), `${text}\ndoes not say ${said}`)
}
