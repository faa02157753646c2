import assert from 'node:assert/strict'
import type { AnyObject } from '#src/snapshot/objects.ts'
import type { Rule, WeightedBackend } from '#src/table/table.ts'
import { ingress, web } from './builders.ts'
import type { Annotations } from './builders.ts'
import { compileObjects, found, rulesByHost } from './compiling.ts'

/** The one rule of a.example, its one backend, and what was found. */
export function ruleOf(objects: readonly AnyObject[]): {
  rule: Rule
  use: WeightedBackend
  findings: string[]
} {
  const compiled = compileObjects(objects)
  const rule = rulesByHost(compiled).get('a.example')?.[0]
  const use = rule?.backends[0]
  assert.ok(rule !== undefined && use !== undefined)
  return { rule, use, findings: found(compiled) }
}

/** As `ruleOf`, for an Ingress with these annotations. */
export function withAnnotations(annotations: Annotations, more: readonly AnyObject[] = []) {
  return ruleOf([...web, ...more, ingress('one', { annotations })])
}
