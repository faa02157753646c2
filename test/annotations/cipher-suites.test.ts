import assert from 'node:assert/strict'
import { test } from 'node:test'
import { getCiphers } from 'node:tls'
import { cipherSuites } from '#src/annotations/cipher-suites.ts'

const e128 = 'ECDHE-ECDSA-AES128-GCM-SHA256'
const r128 = 'ECDHE-RSA-AES128-GCM-SHA256'
const e256 = 'ECDHE-ECDSA-AES256-GCM-SHA384'
const r256 = 'ECDHE-RSA-AES256-GCM-SHA384'
const eChaCha = 'ECDHE-ECDSA-CHACHA20-POLY1305'
const rChaCha = 'ECDHE-RSA-CHACHA20-POLY1305'
const dhe256 = 'DHE-RSA-AES256-GCM-SHA384'

/** A list, the suites that it comes to, and what of it is more than is served. */
const lists: readonly (readonly [list: string, suites: readonly string[], beyond?: string])[] = [
  [r256, [r256]],
  [`${r256}:${e128}`, [r256, e128]],
  [`${r256}, ${e128} ${r128}`, [r256, e128, r128]],
  [`${r256}:AES128-SHA`, [r256], 'AES128-SHA'],
  [`ECDHE-RSA-AES128-SHA256:${r128}`, [r128], 'ECDHE-RSA-AES128-SHA256'],
  ['ECDHE+AESGCM', [e128, r128, e256, r256]],
  ['EECDH+AESGCM:EDH+AESGCM', [e128, r128, e256, r256, 'DHE-RSA-AES128-GCM-SHA256', dhe256]],
  ['ECDHE+AESGCM:!aECDSA', [r128, r256]],
  ['!aECDSA:ECDHE+AESGCM', [r128, r256]],
  [`ECDHE+AESGCM:-aECDSA:${e256}`, [r128, r256, e256]],
  ['ECDHE+AESGCM:+AES128', [e256, r256, e128, r128]],
  ['ECDHE+AESGCM:@STRENGTH', [e256, r256, e128, r128]],
  ['ECDHE+AESGCM:@SECLEVEL=1', [e128, r128, e256, r256]],
  ['HIGH:!aNULL:!MD5', [e128, r128, e256, r256, eChaCha, rChaCha], 'HIGH'],
  [
    'ALL:!aNULL:!EXPORT56:RC4+RSA:+HIGH:+SSLv2:+EXP',
    [e128, r128, e256, r256, eChaCha, rChaCha],
    'ALL, RC4+RSA',
  ],
  ['TLS_AES_256_GCM_SHA384:ECDHE+CHACHA20', [eChaCha, rChaCha]],
  [dhe256, [dhe256]],
]
for (const [list, suites, beyond] of lists) {
  test(`suites of ${list}`, () => {
    assert.deepEqual(cipherSuites.parse(list), suites)
    const warning = cipherSuites.warn?.(list)
    const served = 'only what is forward secret and authenticated is served'
    assert.equal(warning, beyond && `of ${beyond} ${served}`)
    assert.deepEqual(cipherSuites.parse(cipherSuites.format(suites)), suites)
  })
}

const bad: readonly (readonly [list: string, why: RegExp])[] = [
  ['AES128-SHA', /nothing is left/],
  ['RC4:MD5', /nothing is left/],
  ['ECDHE:!ALL', /nothing is left/],
  ['TLS_AES_128_GCM_SHA256', /nothing is left/],
  ['ECDHE-RSA-AES265-GCM-SHA384', /"ECDHE-RSA-AES265-GCM-SHA384" is no suite/],
  ['ECDHE+AESGMC', /"AESGMC" is no suite/],
  [`${r256};return 200`, /is no suite/],
  ['@SECLEVEL=9', /is no suite/],
  [`${r256}:`.repeat(200), /is no suite/],
]
for (const [list, why] of bad) {
  test(`refused: ${list.slice(0, 60)}`, () => {
    assert.equal(cipherSuites.parse(list), undefined)
    assert.match(cipherSuites.explain?.(list) ?? '', why)
  })
}

test('every suite that OpenSSL has is known here', () => {
  for (const name of getCiphers()) {
    const written = name.startsWith('tls_')
      ? name.toUpperCase()
      : name.toUpperCase().replace('ANON', 'anon')
    const problem = cipherSuites.explain?.(`${r256}:${written}`)
    assert.equal(problem, undefined, written)
  }
})
