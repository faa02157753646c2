import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fields, toPairs } from '#src/exchange/fields.ts'
import { fieldId, knownFields } from '#src/exchange/known-fields.ts'
import { FieldScanner, incomplete, refused } from '#src/http1/field-scanner.ts'
import { knownNameAt } from '#src/http1/known-names.ts'

/** The fields of a section with its empty line, or the negative result. */
function scan(text: string): string[] | number {
  const scanner = new FieldScanner()
  scanner.fieldsMax = 10
  const bytes = Buffer.from(text, 'latin1')
  const fields = new Fields()
  const position = scanner.scan(bytes, 0, bytes.length, fields)
  if (position < 0) return position
  assert.equal(position, bytes.length)
  fields.text = text
  return toPairs(fields)
}

// Values are read four bytes at a time where that is possible, names byte by byte: neither place nor
// surroundings of a byte may matter.

test('each byte is judged alike wherever it stands in a value', () => {
  for (let byte = 0; byte < 256; byte++) {
    const allowed = byte === 9 || (byte >= 0x20 && byte !== 0x7f)
    for (let place = 0; place < 12; place++) {
      const value = `${'v'.repeat(place)}${String.fromCharCode(byte)}${'v'.repeat(12 - place)}`
      const wanted = allowed ? ['X', value.replace(/^[\t ]/, '')] : refused
      assert.deepEqual(scan(`X: ${value}\r\n\r\n`), wanted, `byte ${byte} at ${place}`)
    }
  }
})

test('each byte is judged alike wherever it stands in a name', () => {
  const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]$/
  for (let byte = 0; byte < 256; byte++) {
    const letter = String.fromCharCode(byte)
    // A colon ends the name, so that it makes another one.
    if (letter === ':') continue
    for (const name of [letter, `${letter}bc`, `a${letter}c`, `ab${letter}`]) {
      const wanted = token.test(letter) ? [name, '1'] : refused
      assert.deepEqual(scan(`${name}: 1\r\n\r\n`), wanted, `byte ${byte} in ${name}`)
    }
  }
})

test('a section that ends nowhere is incomplete at each of its bytes', () => {
  const text = 'X-A: 1\r\nHost: \t a.test \r\nX_B:\r\n\r\n'
  for (let size = 0; size < text.length; size++) {
    assert.equal(scan(text.slice(0, size)), incomplete, `${size} bytes`)
  }
  assert.deepEqual(scan(text), ['X-A', '1', 'Host', 'a.test', 'X_B', ''])
})

test('known names are found in any case, and nothing else is', () => {
  for (const name of knownFields.slice(1)) {
    const mixed = name.replaceAll(/[a-m]/g, (letter) => letter.toUpperCase())
    for (const written of [name, name.toUpperCase(), mixed]) {
      const bytes = Buffer.from(`..${written}:`, 'latin1')
      assert.equal(knownNameAt(bytes, 2, bytes.length - 1), fieldId(name), written)
    }
    for (let i = 0; i < name.length; i++) {
      const other = `${name.slice(0, i)}${name[i] === 'q' ? 'z' : 'q'}${name.slice(i + 1)}`
      const bytes = Buffer.from(other, 'latin1')
      assert.equal(knownNameAt(bytes, 0, bytes.length), fieldId(other), other)
    }
  }
  for (const other of ['a', 'hos', 'hosts', 'x-forwarded', 'x'.repeat(40)]) {
    assert.equal(knownNameAt(Buffer.from(other), 0, other.length), 0, other)
  }
})
