import assert from 'node:assert/strict'
import type { AnyObject, ServicePort } from '#src/snapshot/objects.ts'
import type { Backend } from '#src/table/table.ts'
import { ingress, ingressClass, prefix, to } from './builders.ts'
import { compileObjects, found } from './compiling.ts'
import type { Given } from './compiling.ts'

/** A port of a Service. */
export function port(name: string, number: number, more: Partial<ServicePort> = {}): ServicePort {
  return { name, port: number, targetPort: 8080, protocol: 'TCP', appProtocol: '', ...more }
}

/** The one backend behind a.example/, and what was found. */
export function backendOf(
  objects: readonly AnyObject[],
  wanted: string | number = 80,
  given: Given = {},
) {
  const rule = ingress('one', { hosts: { 'a.example': [prefix('/', to('web', wanted))] } })
  const compiled = compileObjects([ingressClass('headgate'), rule, ...objects], given)
  const backends = [...compiled.table.backends.values()]
  assert.ok(backends.length <= 1)
  return { backend: backends[0], compiled, findings: found(compiled) }
}

export function shown(backend: Backend | undefined): string[] {
  return (backend?.endpoints ?? []).map(
    ({ address, port: number, state }) => `${address}:${number} ${state}`,
  )
}
