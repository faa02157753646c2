import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const deploy = join(import.meta.dirname, '../../deploy')

function read(file: string): string {
  return readFileSync(join(deploy, file), 'utf8')
}

test('the chart has the version of the product', () => {
  const { version } = JSON.parse(read('../package.json')) as { version: string }
  const chart = read('chart/Chart.yaml')
  assert.match(chart, new RegExp(`^version: ${RegExp.escape(version)}$`, 'm'))
  assert.match(chart, new RegExp(`^appVersion: ${RegExp.escape(version)}$`, 'm'))
})
