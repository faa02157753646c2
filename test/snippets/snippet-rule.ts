import assert from 'node:assert/strict'
import type { Rule } from '#src/table/table.ts'
import { configMap, ingress, nginx, web } from '#test/compile/builders.ts'
import type { Annotations } from '#test/compile/builders.ts'
import { compileObjects, rulesByHost } from '#test/compile/compiling.ts'

/** The options under which snippets are taken. */
export const snippetsOn = {
  'allow-snippet-annotations': 'true',
  'annotations-risk-level': 'Critical',
}

/** The rule of a.example in an Ingress shop/web with these annotations, snippets allowed. */
export function ruleWith(annotations: Annotations): Rule {
  const one = ingress('web', { annotations: nginx(annotations) })
  const compiled = compileObjects([...web, configMap(snippetsOn), one])
  const [rule] = rulesByHost(compiled).get('a.example') ?? []
  assert.ok(rule !== undefined, JSON.stringify(compiled.diagnostics))
  return rule
}
