import assert from 'node:assert/strict'
import { test } from 'node:test'
import { snippetLimits } from '#src/snippets/directives.ts'
import { directiveTable, translate } from '#src/snippets/translate.ts'
import type { SnippetKey } from '#src/snippets/translate.ts'
import { annotationSchema } from '#src/compile/values/schema.ts'
import { snippetAnnotations } from '#src/compile/values/snippets.ts'
import { snippetCorpus } from './corpus.ts'
import { send } from './run-snippet.ts'

for (const {
  name,
  key = 'configuration-snippet',
  text,
  refused,
  unused,
  requests,
} of snippetCorpus) {
  test(`${name}: ${refused === undefined ? 'translated' : `refused for lines ${refused.join(', ')}`}`, () => {
    const translation = translate(key, text, () => undefined)
    if ('problems' in translation) {
      assert.deepEqual(
        translation.problems.map(({ line }) => line).toSorted((a, b) => a - b),
        refused ?? [],
      )
      assert.equal(snippetAnnotations[key].type.parse(text), undefined)
      return
    }
    assert.equal(refused, undefined)
    assert.deepEqual(
      translation.snippet.notes.map(({ line }) => line),
      unused ?? [],
    )
  })

  for (const request of requests ?? []) {
    test(`${name}: ${request.method ?? 'GET'} ${request.target ?? '/'} ${JSON.stringify(request.fields ?? {})}`, () => {
      const got = send(key, text, request)
      const { status = got.status, location, body, answer = {}, sent, sentFields = {} } = request
      assert.equal(got.status, status)
      if (location !== undefined) assert.equal(got.fields.get('location'), location)
      if (body !== undefined) assert.equal(got.body, body)
      for (const [field, value] of Object.entries(answer)) {
        assert.equal(got.fields.get(field) ?? '', value, field)
      }
      if (sent !== undefined) assert.equal(got.sent, sent)
      for (const [field, value] of Object.entries(sentFields)) {
        assert.equal(got.sentFields.get(field) ?? '', value, field)
      }
    })
  }
}

const malformed: readonly (readonly [
  text: string,
  line: number,
  message: RegExp,
  key?: SnippetKey,
])[] = [
  ['add_header X-A "1;', 1, /not closed/],
  ['\nadd_header X-A "1"x;', 2, /unexpected x/],
  [';', 1, /unexpected ;/],
  ['add_header X-A 1', 1, /; or \{ is missing/],
  ['add_header "X A" 1;', 1, /field name/],
  ['add_header X-A "a\\nX-B: 1";', 1, /control/],
  ['add_header Content-Length 1;', 1, /proxy itself/],
  ['add_header X-A;', 1, /takes 2 to 3 words/],
  ['return;', 1, /takes 1 to 2 words/],
  ['return 99;', 1, /not a status/],
  ['rewrite ^/(a+)+$ /x wrong;', 1, /not last/],
  ['rewrite ( /x;', 1, /regular expression/],
  ['set $host a;', 1, /cannot be set/],
  ['if ($a = b { return 404; }', 1, /condition/],
  ['if (-f /etc/passwd) { return 200; }', 1, /files/],
  ['if ($http_a = b) { if ($http_c) { return 404; } }', 1, /cannot stand in an if/],
  ['return 200 {}', 1, /takes no block/],
  ['if ($http_a);', 1, /needs a block/],
  ['location /x { return 200; }', 1, /cannot stand in a location/],
  ['location @x { return 200; }', 1, /not a path/, 'server-snippet'],
  ['location /x { add_header X-A 1; }', 1, /upstream or a file/, 'server-snippet'],
  ['deny 10.0.0.0/40;', 1, /an address or a range/],
  ['expires soon;', 1, /takes a time/],
  ['error_page 404 /missing.html;', 1, /not a URL/],
  ['proxy_redirect ~^http https;', 1, /regular expressions/],
  ['client_max_body_size huge;', 1, /size/],
  ['frobnicate on;', 1, /not a directive/],
  ['more_set_input_headers "Host: evil";', 1, /upstream-vhost/],
  ['a {'.repeat(snippetLimits.depth + 1), 1, /too deep/],
  ['a;'.repeat(snippetLimits.directives + 1), 1, /more than/],
  [`a ${'b '.repeat(snippetLimits.words + 1)};`, 1, /more than/],
  ['#'.repeat(snippetLimits.length + 1), 1, /longer than/],
]

for (const [text, line, message, key = 'configuration-snippet'] of malformed) {
  test(`${key} ${JSON.stringify(text.slice(0, 60))} is named by its line`, () => {
    const explained = snippetAnnotations[key].type.explain?.(text) ?? ''
    assert.equal(snippetAnnotations[key].type.parse(text), undefined)
    assert.match(explained, message)
    assert.ok(explained.startsWith(`line ${line}: `), explained)
  })
}

test('every directive that is translated stands in the corpus or has a test of its annotation', () => {
  const used = new Set<string>()
  const texts = [...snippetCorpus.map(({ text }) => text), ...presetTexts]
  for (const text of texts) for (const [word] of text.matchAll(/\b[a-z_0-9]+\b/g)) used.add(word)
  const missing = Object.entries(directiveTable)
    .filter(([name, { kind }]) => kind === 'translated' && !used.has(name))
    .filter(([name]) => !rates.includes(name))
    .map(([name]) => name)
  assert.deepEqual(missing, [])
})

/** As annotations they count kilobytes. */
const rates = ['limit_rate', 'limit_rate_after']

for (const name of rates) {
  const key = name.replaceAll('_', '-')
  const known = Object.hasOwn(annotationSchema, key)
  test(`${name}: ${known ? 'translated' : 'refused, for there is no annotation of the name'}`, () => {
    const { type } = snippetAnnotations['configuration-snippet']
    assert.deepEqual(
      type.parse(`${name} 100k;`)?.presets,
      known ? [{ key, text: '100' }] : undefined,
    )
    assert.match(type.explain?.(`${name} 100;`) ?? '', /whole number of kilobytes/)
  })
}

/** Directives that are an annotation by another name: what they are checked by is its own type. */
const presetTexts = [
  'proxy_next_upstream error http_502;',
  'proxy_next_upstream_timeout 5;',
  'proxy_next_upstream_tries 2;',
  'proxy_cookie_domain in.example out.example;',
  'proxy_ssl_name in.example;',
  'proxy_ssl_server_name on;',
  'proxy_ssl_verify on;',
  'proxy_ssl_verify_depth 2;',
  'proxy_ssl_protocols TLSv1.2 TLSv1.3;',
  'proxy_ssl_ciphers HIGH;',
  'proxy_pass_header Date;',
  'satisfy any;',
  'break;',
]

for (const text of presetTexts) {
  test(`${text} is translated, and refused with a value that is none`, () => {
    const { type } = snippetAnnotations['configuration-snippet']
    assert.notEqual(type.parse(text), undefined)
    const name = text.split(/[ ;]/)[0] ?? ''
    assert.equal(type.parse(`${name} "no such value" b c d e f g h i j k l m n o p q;`), undefined)
  })
}
