import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PasswordChecks } from '#src/policies/passwords/checks.ts'
import { hashProblem, verify } from '#src/policies/passwords/verify.ts'

const bcrypt = 'abcdefghijklmnopqrstuuUq7qXkDOZJ5Q8HA9wCOH0FErWp6q0b6'

// Made by openssl passwd.
const known: readonly (readonly [password: string, hash: string])[] = [
  ['bar', '$apr1$abcdefgh$bGLO42WqKpmLoPH9uGWTg1'],
  ['Hello world!', '$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5'],
  [
    'Hello world!',
    '$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1',
  ],
  ['bar', '{SHA}Ys23Ag/5IOWqZCw9QGaVDdHwH00='],
  ['x:y', '{PLAIN}x:y'],
]

for (const [password, hash] of known) {
  test(`${hash.slice(0, 14)}: right and wrong passwords`, () => {
    assert.equal(hashProblem(hash), undefined)
    assert.ok(verify(password, hash))
    for (const wrong of ['', `${password}x`, password.slice(1), password.toUpperCase()]) {
      assert.ok(!verify(wrong, hash), wrong)
    }
  })
}

for (const hash of [
  '',
  'plain',
  '$9$unknown$x',
  '$2y$31$abcdefghijklmnopqrstuuUq7qXkDOZJ5Q8HA9wCOH0FErWp6q0b6',
  '$6$rounds=999999999$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjlO/O817G3uBnIFNjnQJuesI68OTLiBFdcbYEdFCoEOfaS35inz1',
  '{SHA}',
]) {
  test(`${JSON.stringify(hash.slice(0, 20))} lets nobody in, and costs nothing`, () => {
    assert.notEqual(hashProblem(hash), undefined)
    for (const password of ['', hash, 'bar']) assert.ok(!verify(password, hash))
  })
}

for (const version of ['2a', '2b', '2y']) {
  test(`bcrypt ${version} is checked later, once for all who wait, and then known`, async () => {
    const checks = new PasswordChecks()
    const hash = `$${version}$05$${bcrypt}`
    const ask = (password: string) =>
      new Promise<boolean>((resolve) => {
        assert.equal(checks.check(password, hash, resolve), 'later')
      })
    assert.deepEqual(await Promise.all([ask('bar'), ask('bar'), ask('baz')]), [true, true, false])
    assert.equal(
      checks.check('bar', hash, () => {}),
      'right',
    )
    assert.equal(
      checks.check('baz', hash, () => {}),
      'wrong',
    )
  })
}

test('of slow checks only so many are under way; the rest is turned away', async () => {
  const checks = new PasswordChecks()
  const hash = `$2y$05$${bcrypt}`
  const pending: Promise<boolean>[] = []
  const results: string[] = []
  for (let i = 0; i < 20; i++) {
    pending.push(
      new Promise((resolve) => {
        const result = checks.check(`guess ${i}`, hash, resolve)
        results.push(result)
        if (result === 'busy') resolve(false)
      }),
    )
  }
  assert.equal(results.filter((result) => result === 'busy').length, 4)
  assert.ok((await Promise.all(pending)).every((right) => !right))
})
