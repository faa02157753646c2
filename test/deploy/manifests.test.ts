import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseAllDocuments } from 'yaml'
import { commands } from '#src/commands/index.ts'
import { flags } from '#src/commands/flags.ts'
import { parseFlags } from '#src/commands/parse-flags.ts'

const deploy = join(import.meta.dirname, '../../deploy')

interface Workload {
  readonly kind: string
  readonly spec: {
    readonly template: {
      readonly spec: { readonly containers: readonly [{ readonly args: readonly string[] }] }
    }
  }
}

function read(file: string): string {
  return readFileSync(join(deploy, file), 'utf8')
}

test('the chart has the version of the product', () => {
  const { version } = JSON.parse(read('../package.json')) as { version: string }
  const chart = read('chart/Chart.yaml')
  assert.match(chart, new RegExp(`^version: ${RegExp.escape(version)}$`, 'm'))
  assert.match(chart, new RegExp(`^appVersion: ${RegExp.escape(version)}$`, 'm'))
})

test('every flag that the chart can give is a flag of serve', () => {
  const names = [...read('chart/templates/_arguments.tpl').matchAll(/--([a-z][a-z-]+)=/g)]
  const groups: readonly string[] = commands['serve']?.flags ?? []
  assert.ok(names.length > 20)
  for (const [, name = ''] of names) {
    const flag = flags[name as keyof typeof flags] as { readonly group: string } | undefined
    assert.ok(flag !== undefined, `the chart gives --${name}, which serve does not know`)
    assert.ok(groups.includes(flag.group), `--${name} is no flag of serve`)
  }
})

test('serve takes the arguments of the plain manifests', () => {
  const objects = parseAllDocuments(read('manifests/headgate.yaml')).map((one): unknown =>
    one.toJS(),
  )
  const workload = objects.find((one) => (one as Workload).kind === 'Deployment') as Workload
  const [command, ...args] = workload.spec.template.spec.containers[0].args
  assert.equal(command, 'serve')
  const { values, operands } = parseFlags(args, {}, commands['serve']?.flags ?? [])
  assert.deepEqual(operands, [])
  assert.deepEqual(values.configmap, { namespace: 'headgate', name: 'headgate' })
  assert.equal(values['drain-timeout'], 300_000)
})
