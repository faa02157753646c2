import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { AnyObject } from '#src/snapshot/objects.ts'
import { parseFile } from '#src/sources/files/parse-file.ts'

/** One object of each kind, with what an object can have. */
export const everyKind = objectsOf(`
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: web, namespace: shop, uid: u-1, annotations: { a: b, __proto__: c }, labels: { l: m } }
spec:
  ingressClassName: headgate
  defaultBackend: { service: { name: web, port: { number: 80 } } }
  tls: [{ hosts: [shop.example], secretName: shop-tls }]
  rules:
    - host: shop.example
      http:
        paths:
          - { path: /a, pathType: Prefix, backend: { service: { name: web, port: { name: http } } } }
          - { path: /b, pathType: Exact, backend: { resource: { apiGroup: a.b, kind: C, name: d } } }
    - host: empty.example
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: bare, namespace: shop }
spec: { rules: [{ http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: web, port: { number: 80 } } } }] } }] }
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: { name: headgate }
spec: { controller: headgate.dev/ingress-controller }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop }
spec: { type: ExternalName, externalName: up.example, ports: [{ name: http, port: 80, targetPort: web }] }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: web-1, namespace: shop, labels: { kubernetes.io/service-name: web } }
addressType: IPv4
ports: [{ name: http, port: 8080 }]
endpoints:
  - { addresses: [10.0.0.1], conditions: { ready: true }, zone: a, targetRef: { kind: Pod, name: p, uid: q } }
---
apiVersion: v1
kind: Secret
metadata: { name: shop-tls, namespace: shop }
type: kubernetes.io/tls
data: { tls.crt: /wECAw==, tls.key: dG9wIHNlY3JldA== }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: options, namespace: headgate }
data: { hsts: 'false' }
---
apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { team: shop } }
`)

export function objectsOf(yaml: string): readonly AnyObject[] {
  const parsed = parseFile(yaml, 'test.yaml')
  assert.ok(parsed.ok)
  return parsed.objects
}

/** A Service, the smallest object there is. */
export function service(name: string, port = 80): AnyObject {
  const [object] = objectsOf(
    `{ apiVersion: v1, kind: Service, metadata: { name: ${name}, namespace: shop }, spec: { ports: [{ port: ${port} }] } }`,
  )
  assert.ok(object !== undefined)
  return object
}

/** A Secret without contents. */
export function secret(name: string): AnyObject {
  const [object] = objectsOf(
    `{ apiVersion: v1, kind: Secret, metadata: { name: ${name}, namespace: shop } }`,
  )
  assert.ok(object !== undefined)
  return object
}

export function stateFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-state-'))
  t.after(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  return folder
}
