import type { Ingress } from '#src/snapshot/objects.ts'

/** Finds the host of a logged request, which the combined format does not have. '' : unknown. */
export type FindHost = (upstream: string, target: string) => string

/**
 * By the name that ingress-nginx gives the upstream (namespace-service-port) and the longest path of
 * the rules that lead to it.
 */
export function upstreamHosts(ingresses: readonly Ingress[]): FindHost {
  const rules = Map.groupBy(ingresses.flatMap(routesOf), ({ upstream }) => upstream)
  return (upstream, target) => {
    const known = rules.get(upstream) ?? []
    const fitting = known.filter(({ path }) => target.startsWith(path))
    const [best] = fitting.toSorted((a, b) => b.path.length - a.path.length)
    return (best ?? known[0])?.host ?? ''
  }
}

interface Route {
  readonly upstream: string
  readonly host: string
  readonly path: string
}

function routesOf({ metadata, rules }: Ingress): Route[] {
  const named = rules.filter(({ host }) => host !== '' && !host.startsWith('*'))
  return named.flatMap(({ host, paths = [] }) =>
    paths.flatMap(({ path, backend }) => {
      if (!('service' in backend)) return []
      const { name, port } = backend.service
      return [{ upstream: `${metadata.namespace}-${name}-${port}`, host, path }]
    }),
  )
}
