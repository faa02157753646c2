import type { Backend } from '#src/table/table.ts'

/** A backend as ingress-nginx names upstreams in logs and spans. */
export function upstreamName({ service, servicePort }: Backend): string {
  return `${service.namespace}-${service.name}-${servicePort}`
}
