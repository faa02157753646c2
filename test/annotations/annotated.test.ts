import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { collectAnnotations } from '#src/annotations/annotated.ts'
import { readOptions } from '#src/annotations/options.ts'
import {
  annotationCodes,
  annotationTable,
  complete,
  quote,
  readGiven,
} from '#src/annotations/schema.ts'
import type { AnyAnnotations, SettingText } from '#src/annotations/schema.ts'
import { suggest } from '#src/annotations/suggest.ts'
import { bool, integer, oneOf } from '#src/annotations/types.ts'

const row = { doc: 'D.', example: '1', risk: 'low', scope: 'path' } as const

const table = annotationTable({
  'some-number': { type: integer(0, 9), default: 3, compatibility: 'same', ...row },
  'own-switch': { type: bool, default: false, compatibility: 'own', ...row },
  'other-way': {
    type: oneOf(['a', 'b']),
    default: 'a',
    compatibility: { differs: 'is rounded' },
    refused: { c: 'there is no c' },
    ...row,
  },
  'no-effect': { type: bool, default: false, compatibility: { unused: 'it is always so' }, ...row },
  'on-service': { type: bool, default: false, compatibility: 'same', on: ['Service'], ...row },
  'allowlist-source-range': {
    type: oneOf(['x', 'y']),
    default: 'x',
    compatibility: 'same',
    ...row,
  },
})
const schema: AnyAnnotations = table
const compatible = 'nginx.ingress.kubernetes.io'

function read(annotations: Record<string, string>, kind: 'Ingress' | 'Service' = 'Ingress') {
  const findings: string[] = []
  const report = (code: string, field: string, message: string): void => {
    findings.push(`${code} ${field}: ${message}`)
  }
  const { texts, verdict } = collectAnnotations(annotations, kind, {
    schema,
    prefix: compatible,
    report,
  })
  const given = readGiven(table, texts, { codes: annotationCodes, report })
  return { values: complete(table, given), given, findings, verdict }
}

test('without annotations every value is its default', () => {
  const { values, findings, verdict } = read({
    'kubectl.kubernetes.io/last-applied': '{}',
    plain: 'x',
  })
  assert.deepEqual(values, {
    'some-number': 3,
    'own-switch': false,
    'other-way': 'a',
    'no-effect': false,
    'on-service': false,
    'allowlist-source-range': 'x',
  })
  assert.deepEqual({ findings, verdict }, { findings: [], verdict: 'serve' })
})

test('both prefixes are read, and ours wins whatever the order', () => {
  const ours = ['headgate.dev/some-number', '5'] as const
  const theirs = [`${compatible}/some-number`, '6'] as const
  for (const pairs of [
    [ours, theirs],
    [theirs, ours],
  ]) {
    const { values, findings } = read(Object.fromEntries(pairs))
    assert.equal(values['some-number'], 5)
    assert.deepEqual(findings, [
      `annotation-unused ${theirs[0]}: ${ours[0]} stands beside it and wins`,
    ])
  }
})

test('a name wins over its alias under the same prefix, and ours over either', () => {
  const alias = `${compatible}/whitelist-source-range`
  const name = `${compatible}/allowlist-source-range`
  const own = 'headgate.dev/whitelist-source-range'
  const key = 'allowlist-source-range'
  assert.equal(read({ [alias]: 'y' }).values[key], 'y')
  assert.equal(read({ [alias]: 'x', [name]: 'y' }).values[key], 'y')
  assert.equal(read({ [name]: 'y', [alias]: 'x' }).values[key], 'y')
  assert.equal(read({ [name]: 'x', [own]: 'y' }).values[key], 'y')
})

test('white space around a value does not count', () => {
  assert.equal(read({ [`${compatible}/some-number`]: ' 7\n' }).values['some-number'], 7)
})

const findingCases: readonly (readonly [string, Record<string, string>, readonly string[]])[] = [
  [
    'a bad value keeps the default and says what was expected',
    { [`${compatible}/some-number`]: '12' },
    [`annotation-invalid ${compatible}/some-number: must be a whole number from 0 to 9, got "12"`],
  ],
  [
    'an empty value stands for the default',
    { [`${compatible}/some-number`]: ' ' },
    [`annotation-unused ${compatible}/some-number: is empty, so the default holds`],
  ],
  [
    'a refused value gives its reason, in any case',
    { [`${compatible}/other-way`]: 'C' },
    [`annotation-refused ${compatible}/other-way: "C" is refused: there is no c`],
  ],
  [
    'a difference is told where it is used',
    { [`${compatible}/other-way`]: 'b' },
    [`annotation-differs ${compatible}/other-way: is rounded`],
  ],
  [
    'a key without effect says so',
    { [`${compatible}/no-effect`]: 'true' },
    [`annotation-unused ${compatible}/no-effect: it is always so`],
  ],
  [
    'a misspelt key is answered by the right one',
    { [`${compatible}/some-numbr`]: '1' },
    [`annotation-unknown ${compatible}/some-numbr: is not known; did you mean some-number?`],
  ],
  [
    'a key that is like none is just unknown',
    { 'headgate.dev/zzzzzz': '1' },
    ['annotation-unknown headgate.dev/zzzzzz: is not known'],
  ],
  [
    'our own key under the compatible prefix is pointed to ours',
    { [`${compatible}/own-switch`]: 'true' },
    [
      `annotation-unknown ${compatible}/own-switch: is a key of Headgate's own: write headgate.dev/own-switch`,
    ],
  ],
  [
    'a key on the wrong kind of object has no meaning there',
    { [`${compatible}/on-service`]: 'true' },
    [`annotation-unknown ${compatible}/on-service: has no meaning on an object of kind Ingress`],
  ],
  [
    'a removed key says what took its place',
    { [`${compatible}/secure-backends`]: 'true' },
    [
      `annotation-refused ${compatible}/secure-backends: is not a key of today's ingress-nginx: it was replaced by backend-protocol: HTTPS`,
    ],
  ],
  [
    'keys named like members of Object.prototype are unknown like others',
    { 'headgate.dev/constructor': '1', 'headgate.dev/__proto__': '1' },
    [
      'annotation-unknown headgate.dev/constructor: is not known',
      'annotation-unknown headgate.dev/__proto__: is not known',
    ],
  ],
]

for (const [title, annotations, expected] of findingCases) {
  test(title, () => {
    assert.deepEqual(read(annotations).findings, expected)
  })
}

test('snippets that are not honoured drop the Ingress, whatever else it has; other keys do not', () => {
  const rows = [
    ['enable-modsecurity', 'true', 'serve'],
    ['stream-snippet', '', 'serve'],
    ['stream-snippet', 'return 200;', 'drop'],
    ['modsecurity-snippet', 'SecRuleEngine On', 'drop'],
  ] as const
  for (const [key, text, expected] of rows) {
    assert.equal(read({ [`${compatible}/${key}`]: text }).verdict, expected, `${key}: ${text}`)
  }
  const both = {
    [`${compatible}/enable-modsecurity`]: 'true',
    [`${compatible}/stream-snippet`]: 'return 200;',
  }
  assert.equal(read(both).verdict, 'drop')
})

test('the default of ingress-nginx, written down, asks for nothing', () => {
  const rows = [
    ['enable-modsecurity', 'False'],
    ['enable-owasp-core-rules', 'false'],
    ['stream-snippet', ''],
  ] as const
  for (const [key, text] of rows) {
    const { findings, verdict } = read({ [`${compatible}/${key}`]: text })
    assert.equal(verdict, 'serve')
    assert.match(findings.join(), /^annotation-unused .* asks for nothing$/, key)
  }
})

test('the text of a refused key is not shown: it may hold a secret', () => {
  const { findings } = read({ [`${compatible}/stream-snippet`]: 'set $token s3cret;' })
  assert.equal(findings.length, 1)
  assert.ok(!findings[0]?.includes('s3cret'))
})

test('a layer replaces what the layers before it say', () => {
  assert.equal(complete(table, { 'some-number': 1 }, { 'some-number': 2 })['some-number'], 2)
  assert.equal(complete(table, { 'some-number': 1 }, {})['some-number'], 1)
})

test('reading never throws, and reports only keys that are there', () => {
  const key = fc.oneof(
    fc.constantFrom(...Object.keys(table), 'auth-url', 'canary', 'secure-backends', '__proto__'),
    fc.string(),
  )
  const prefixes = fc.constantFrom(`${compatible}/`, 'headgate.dev/', 'other/', '')
  const pair = fc
    .tuple(prefixes, key, fc.string())
    .map(([start, name, text]) => [start + name, text])
  fc.assert(
    fc.property(fc.array(pair), (pairs) => {
      const annotations = Object.fromEntries(pairs) as Record<string, string>
      const { values, findings } = read(annotations)
      assert.deepEqual(Object.keys(values).toSorted(), Object.keys(table).toSorted())
      for (const finding of findings) {
        assert.ok(
          Object.keys(annotations).some((name) => finding.includes(name)),
          finding,
        )
      }
    }),
  )
})

test('a long text is cut in messages', () => {
  const shown = quote('x'.repeat(5000))
  assert.ok(shown.length < 130, shown)
})

test('a suggestion is at most two edits away, and less than half of the word', () => {
  const known = ['proxy-body-size', 'ssl-redirect', 'hsts']
  const rows = [
    ['proxy-bdy-size', 'proxy-body-size'],
    ['proxy-body-szie', 'proxy-body-size'],
    ['ssl-redirects', 'ssl-redirect'],
    ['ssl_redirect', 'ssl-redirect'],
    ['hst', 'hsts'],
    ['force-redirect', undefined],
    ['h', undefined],
    ['', undefined],
  ] as const
  for (const [text, expected] of rows) assert.equal(suggest(text, known), expected, text)
})

test('options are read like annotations, with codes of their own', () => {
  const findings: string[] = []
  const values = readOptions(
    table,
    {
      'some-number': 'x',
      'other-way': 'b',
      'use-geoip2': 'true',
      'syslog-host': '',
      'some-numbers': '1',
    } satisfies Record<string, string>,
    (code, field, message) => findings.push(`${code} ${field}: ${message}`),
  )
  assert.equal(values['some-number'], 3)
  assert.equal(values['other-way'], 'b')
  assert.deepEqual(findings, [
    'option-refused use-geoip2: is refused: there is no database of places; let what stands in front add a header field, or use allow and deny lists',
    'option-unused syslog-host: is empty',
    'option-unknown some-numbers: is not known; did you mean some-number?',
    'option-invalid some-number: must be a whole number from 0 to 9, got "x"',
    'option-differs other-way: is rounded',
  ])
})

test('texts of another table are left to that table', () => {
  const texts = new Map<string, SettingText>([['elsewhere', { key: 'elsewhere', text: '1' }]])
  assert.deepEqual(readGiven(table, texts, { codes: annotationCodes, report: nothingToReport }), {})
})

function nothingToReport(): void {
  assert.fail('nothing to report')
}
