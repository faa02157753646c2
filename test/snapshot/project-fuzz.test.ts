import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { kinds } from '#src/snapshot/objects.ts'
import { project } from '#src/snapshot/project.ts'

/** Documents of our kinds whose parts may be anything. */
function anyDocument(): fc.Arbitrary<unknown> {
  const names = (
    'spec metadata data stringData endpoints ports rules http paths backend service resource ' +
    'port name namespace annotations labels conditions addresses items status loadBalancer ' +
    'ingress tls hosts creationTimestamp addressType hints forZones __proto__ constructor kind'
  ).split(' ')
  const { node } = fc.letrec<{ node: unknown }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 7, withCrossShrink: true },
      fc.oneof(
        fc.string(),
        fc.double(),
        fc.constantFrom(null, true, undefined, -1, 80, 'IPv4', 10n),
      ),
      fc.array(tie('node'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...names), tie('node'), { maxKeys: 6 }),
    ),
  }))
  const kind = fc.constantFrom(...kinds, 'List', 'ServiceList', 'Pod')
  const version = fc.constantFrom('v1', 'networking.k8s.io/v1', 'discovery.k8s.io/v1', '')
  const parts = fc.dictionary(fc.constantFrom(...names), node, { maxKeys: 8 })
  const document = fc
    .tuple(kind, version, parts)
    .map(([name, apiVersion, rest]) => Object.assign(rest, { apiVersion, kind: name }))
  return fc.oneof(document, node, fc.anything())
}

test('whatever it is given, a projection neither throws nor lets a faulty object through', () => {
  fc.assert(
    fc.property(anyDocument(), (document) => {
      const { objects, problems } = project(document, 'f')
      for (const { kind, metadata } of objects) {
        assert.ok(kinds.includes(kind))
        assert.match(metadata.name, /^[a-z0-9]/)
        assert.match(metadata.namespace, /^[a-z0-9-]*$/)
      }
      for (const { message } of problems) assert.ok(message.length > 0 && message.length < 400)
      structuredClone(objects)
    }),
    { numRuns: 3000 },
  )
})
