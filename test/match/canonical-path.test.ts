import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { canonicalPath, differsUnderEncoding, pathBytes } from '#algorithms/match/canonical-path.ts'

// What nginx 1.22 says `$uri` is; undefined where it answers 400.
const asNginx: readonly (readonly [target: string, path: string | undefined])[] = [
  ['/', '/'],
  ['/a', '/a'],
  ['/a/', '/a/'],
  ['//', '/'],
  ['///a', '/a'],
  ['/a//b', '/a/b'],
  ['/a//', '/a/'],
  ['/./a', '/a'],
  ['/a/.', '/a/'],
  ['/a/./', '/a/'],
  ['/a/.//b', '/a/b'],
  ['/a/..', '/'],
  ['/a/../', '/'],
  ['/a/../b', '/b'],
  ['/a//../b', '/b'],
  ['/a/..//b', '/b'],
  ['/a/b/../../c', '/c'],
  ['/a/b/c/../..', '/a/'],
  ['/..', undefined],
  ['/../', undefined],
  ['//..', undefined],
  ['/a/../..', undefined],
  ['/a/../../b', undefined],
  ['/...', '/...'],
  ['/a/....', '/a/....'],
  ['/a/..b', '/a/..b'],
  ['/a/b..', '/a/b..'],
  ['/.a', '/.a'],
  ['/a/..;/b', '/a/..;/b'],
  ['/%2e%2e', undefined],
  ['/%2f..', undefined],
  ['/a/%2e%2e', '/'],
  ['/a/%2E%2e/b', '/b'],
  ['/a/.%2e/b', '/b'],
  ['/a/%2e/b', '/a/b'],
  ['/a/%2e.', '/'],
  ['/a/%2e%2e%2e', '/a/...'],
  ['/a/%2e%2e%2f%2e%2e/b', undefined],
  ['/a%2Fb', '/a/b'],
  ['/a%2f%2fb', '/a/b'],
  ['/a%2f..', '/'],
  ['/%2F', '/'],
  ['/public/..%2fadmin', '/admin'],
  ['/public%2f..%2fadmin', '/admin'],
  ['/admin%2Fx', '/admin/x'],
  ['/%252e%252e', '/%2e%2e'],
  ['/a%252fb', '/a%2fb'],
  ['/%25', '/%'],
  ['/a/%25/..', '/a/'],
  ['/a/..%25', '/a/..%'],
  ['/a%3Fb', '/a?b'],
  ['/a%3fb?c', '/a?b'],
  ['/a%23b', '/a#b'],
  ['/a%00', undefined],
  ['/%00', undefined],
  ['/a%', undefined],
  ['/a%2', undefined],
  ['/a%zz', undefined],
  ['/a%1g', undefined],
  ['/a/.%2', undefined],
  ['/a?%zz', '/a'],
  ['/a?/../b//c', '/a'],
  ['/?', '/'],
  ['/a#b', '/a'],
  ['/a/..?x', '/'],
  ['/a/.?x', '/a/'],
  ['/a/%2e?x', '/a/'],
  ['/a%20b', '/a b'],
  ['/a%0ab', '/a\nb'],
  ['/a%ff', '/a\xff'],
  ['/a\xffb', '/a\xffb'],
  ['/a%c3%a9', '/a\xc3\xa9'],
  ['/a+b', '/a+b'],
  ['/a%2Bb', '/a+b'],
  ['/%7Euser', '/~user'],
  ['/a%5c..%5cb', '/a\\..\\b'],
]

test('paths are normalised as nginx does it', () => {
  for (const [target, path] of asNginx) assert.equal(canonicalPath(target), path, target)
})

test('what is no origin-form has no path', () => {
  for (const target of ['', '*', 'a', '%2Fa', '?a', 'http://a.example/']) {
    assert.equal(canonicalPath(target), undefined, target)
  }
})

/** Targets made of what matters. */
const piece = fc.constantFrom(
  ...'/ . .. a b %2e %2E %2f %2F %25 %41 % %4 %00 ? # \\ %5c ; \xe9 //'.split(' '),
)
const targets = fc.array(piece, { maxLength: 14 }).map((pieces) => `/${pieces.join('')}`)

test('a canonical path has no empty and no dot segments, and lies below the root', () => {
  fc.assert(
    fc.property(targets, (target) => {
      const path = canonicalPath(target)
      if (path === undefined) return
      assert.ok(path.startsWith('/'))
      const segments = path.slice(1).split('/')
      for (const [i, segment] of segments.entries()) {
        assert.ok(segment !== '.' && segment !== '..', path)
        assert.ok(segment !== '' || i === segments.length - 1, path)
      }
    }),
    { numRuns: 2000 },
  )
})

test('a canonical path without escapes to decode stays as it is', () => {
  fc.assert(
    fc.property(targets, (target) => {
      const path = canonicalPath(target)
      if (path === undefined || /[%?#]/.test(path)) return
      assert.equal(canonicalPath(path), path)
    }),
    { numRuns: 2000 },
  )
})

test('escaping characters changes nothing', () => {
  fc.assert(
    fc.property(targets, fc.array(fc.boolean()), (target, choices) => {
      const plain = target.replaceAll(/[%?#]/g, 'x')
      const escaped = plain
        .split('')
        .map((character, i) => (i > 0 && choices[i] === true ? escape(character) : character))
        .join('')
      assert.equal(canonicalPath(escaped), canonicalPath(plain))
    }),
    { numRuns: 2000 },
  )
})

test('the definition in two steps gives the same', () => {
  fc.assert(
    fc.property(targets, (target) => {
      assert.equal(canonicalPath(target), decodeThenResolve(target))
    }),
    { numRuns: 3000 },
  )
})

test('long paths take one pass', () => {
  const deep = canonicalPath(`/${'a/../'.repeat(200_000)}b%2F`)
  assert.equal(deep, '/b/')
  assert.equal(canonicalPath(`/%61${'x'.repeat(100_000)}`)?.length, 100_002)
})

test('strict normalisation refuses what another reading of escapes would take elsewhere', () => {
  const differing = [
    '/a%2Fb',
    '/a%2fb',
    '/a%5Cb',
    '/a%5c',
    '/a\\b',
    '/%2e%2e/a',
    '/a/%2e',
    '/a/.%2e',
    '/a/%2e./b',
    '/a/%2E%2E/b',
    '/a/%2e?b',
  ]
  for (const target of differing) assert.equal(differsUnderEncoding(target), true, target)
  const alike = [
    '/',
    '/a/../b',
    '/file%2etxt',
    '/a%2e%2e/b',
    '/a/%2e%2e%2e',
    '/%20',
    '/a%252fb',
    '/a?b=%2f\\',
    '/a#%2F',
  ]
  for (const target of alike) assert.equal(differsUnderEncoding(target), false, target)
})

test('a target that strict normalisation lets pass reads the same with its slashes and dots escaped or not', () => {
  fc.assert(
    fc.property(targets, (target) => {
      if (differsUnderEncoding(target)) return
      // A server that resolves dot segments first and decodes afterwards.
      assert.equal(resolveThenDecode(target), canonicalPath(target))
    }),
    { numRuns: 3000 },
  )
})

test('paths that users write are compared in bytes', () => {
  assert.equal(pathBytes('/a'), '/a')
  assert.equal(pathBytes('/é'), '/\xc3\xa9')
  assert.equal(pathBytes('/é'), canonicalPath('/%C3%A9'))
  assert.equal(pathBytes(`/${'é'.repeat(100_000)}`).length, 200_001)
})

function escape(character: string): string {
  return `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`
}

function pathOf(target: string): string {
  return target.split(/[?#]/)[0] ?? ''
}

function decode(text: string): string | undefined {
  if (/%(?![0-9a-f]{2})|%00/i.test(text)) return undefined
  return text.replaceAll(/%(..)/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
}

function resolve(path: string): string | undefined {
  const out: string[] = []
  const segments = path.split('/').slice(1)
  for (const [i, segment] of segments.entries()) {
    const last = i === segments.length - 1
    if (segment === '..' && out.pop() === undefined) return undefined
    if (segment !== '' && segment !== '.' && segment !== '..') out.push(segment)
    else if (last) out.push('')
  }
  return `/${out.join('/')}`
}

function decodeThenResolve(target: string): string | undefined {
  const decoded = decode(pathOf(target))
  return decoded === undefined ? undefined : resolve(decoded)
}

function resolveThenDecode(target: string): string | undefined {
  const path = pathOf(target)
  const decoded = decode(path)
  const resolved = decoded === undefined ? undefined : resolve(path)
  return resolved === undefined ? undefined : decode(resolved)
}
