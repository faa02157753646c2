import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import {
  addedFields,
  corsFields,
  customFields,
  hiddenField,
  origin,
  policiesPath,
  seenField,
} from './policies.ts'
import { logFields } from './site.ts'
import type { RunningProxy, Site } from './site.ts'

/** Of the proxy or of the connection, and not of any policy. */
const proxyOwn = new Set([
  'connection',
  'content-length',
  'content-type',
  'date',
  'keep-alive',
  'server',
])

interface Answer {
  readonly status: number
  /** Name, lower case, and value, by name. */
  readonly fields: readonly (readonly [name: string, value: string])[]
}

/** Fails where a proxy does not do what the row claims: its fields, preflights, and a line for each request. */
export async function checkPolicies(
  proxies: readonly RunningProxy[],
  { host }: Pick<Site, 'host'>,
): Promise<void> {
  const added = [['Vary', 'Origin'], ...corsFields, ...Object.entries(customFields)]
  const expected = sorted([...added, ...Object.entries(addedFields)])
  const seen = [seenField.name, 'bench 127.0.0.1']
  for (const proxy of proxies) {
    const { label } = proxy.build
    const preflight = await ask(proxy, 'OPTIONS', host, origin)
    assert.deepEqual(preflight, { status: 204, fields: expected }, `${label}: a preflight`)
    const answer = await ask(proxy, 'GET', host, origin)
    const fields = sorted([...expected, seen])
    assert.deepEqual(answer, { status: 200, fields }, `${label}: a request of the origin`)
    const other = await ask(proxy, 'GET', host, 'https://other.example')
    const names = new Set(other.fields.map(([name]) => name))
    assert.equal(other.status, 200, `${label}: a request of another origin`)
    assert.ok(!names.has('access-control-allow-origin'), `${label}: another origin is let in`)
    assert.ok(!names.has(hiddenField.name.toLowerCase()), `${label}: a field is not hidden`)
    await checkLog(proxy, 3)
  }
}

function sorted(pairs: readonly (readonly string[])[]): Answer['fields'] {
  return pairs
    .map(([name = '', value = '']) => [name.toLowerCase(), value] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
}

async function ask(
  { httpPort: port }: RunningProxy,
  method: string,
  host: string,
  from: string,
): Promise<Answer> {
  return await new Promise((resolve, reject) => {
    const headers = { Host: host, Origin: from }
    const options = { port, host: '127.0.0.1', method, path: policiesPath, headers, agent: false }
    request(options, (response) => {
      const { rawHeaders: raw, statusCode: status = 0 } = response
      const pairs = raw.flatMap((name, i) => (i % 2 === 0 ? [[name, raw[i + 1] ?? '']] : []))
      const fields = sorted(pairs).filter(([name]) => !proxyOwn.has(name))
      response.resume().on('end', () => {
        resolve({ status, fields })
      })
    })
      .on('error', reject)
      .end()
  })
}

/** A line for each request, with the same fields of all; lines may come late. */
async function checkLog({ build, logFiles }: RunningProxy, requests: number): Promise<void> {
  const [file = ''] = logFiles
  let lines: string[] = []
  for (let tries = 0; tries < 100; tries++) {
    lines = readFileSync(file, 'utf8').split('\n').slice(0, -1)
    if (lines.length >= requests) break
    await delay(50)
  }
  assert.equal(lines.length, requests, `${build.label}: lines of the access log`)
  for (const line of lines) {
    const entry = JSON.parse(line) as Record<string, string>
    assert.deepEqual(Object.keys(entry), logFields, `${build.label}: ${line}`)
    assert.equal(entry['path'], policiesPath, `${build.label}: ${line}`)
  }
}
