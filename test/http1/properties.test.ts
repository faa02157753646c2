import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { toPairs } from '#src/exchange/fields.ts'
import { RequestHead, ResponseHead, releaseRequestHead } from '#src/exchange/heads.ts'
import { requestFraming, requestText, responseText } from '#src/http1/head-text.ts'
import { RequestParser } from '#src/http1/request-parser.ts'
import { ResponseParser } from '#src/http1/response-parser.ts'
import { sampleRequest } from './arbitraries.ts'
import {
  damagedRequestsHaveOneReading,
  damagedResponsesHaveOneReading,
  validRequestsAreReadAsMeant,
} from './one-reading.ts'
import { serverOptions } from './relay.ts'

const runs = { numRuns: 150, seed: 20_261_106 }

test('valid requests are read as meant, however they are cut', () => {
  fc.assert(validRequestsAreReadAsMeant, runs)
})

test('a request head that is written and read again is the same', () => {
  const parser = new RequestParser()
  fc.assert(
    fc.property(sampleRequest, fc.boolean(), (request, acceptsTrailers) => {
      const head = new RequestHead()
      head.method = request.method
      head.target = request.target
      head.authority = 'a.test:8080'
      head.contentLength = request.chunked ? -1 : request.body.length
      head.acceptsTrailers = acceptsTrailers
      for (const [name, value] of request.fields) head.fields.append(name, value)
      const framing = requestFraming(head, head.contentLength === 0)
      const bytes = Buffer.from(requestText(head, framing, 11, ''), 'latin1')
      assert.equal(parser.parse(bytes, 0, bytes.length, serverOptions), bytes.length)
      const again = parser.takeHead()
      const { method, target, authority, contentLength } = head
      assert.partialDeepStrictEqual(again, { method, target, authority, contentLength })
      assert.equal(again.acceptsTrailers, acceptsTrailers)
      assert.deepEqual(toPairs(again.fields), toPairs(head.fields))
      assert.equal(parser.persistent, true)
      releaseRequestHead(again)
    }),
    runs,
  )
})

test('a response head that is written and read again is the same', () => {
  const parser = new ResponseParser()
  fc.assert(
    fc.property(sampleRequest, fc.integer({ min: 200, max: 999 }), ({ fields, body }, status) => {
      const head = new ResponseHead()
      head.status = status
      for (const [name, value] of fields) head.fields.append(name, value)
      const text = responseText(head, `Content-Length: ${body.length}\r\n`)
      const bytes = Buffer.from(text, 'latin1')
      assert.equal(parser.parse(bytes, 0, bytes.length, 16 * 1024), bytes.length)
      assert.equal(parser.interpret({ method: 'GET', upgrade: '' }), true)
      const again = parser.takeHead()
      assert.equal(again.status, status)
      assert.deepEqual(toPairs(again.fields), toPairs(head.fields))
    }),
    runs,
  )
})

test('damaged requests never crash and have one reading, however they are cut', () => {
  fc.assert(damagedRequestsHaveOneReading, runs)
})

test('damaged responses never crash and have one reading, however they are cut', () => {
  fc.assert(damagedResponsesHaveOneReading, runs)
})
