import { pathBytes } from '#algorithms/match/canonical-path.ts'
import type { Constant } from '#src/policies/template.ts'
import type { ParsedIngress, ParsedRoute } from './ingress.ts'

/** The text of each constant for one rule. */
export type Constants = Readonly<Record<Constant, string>>

/** As nginx has them in a location; at the level of a server no Service is meant. */
export function constantsOf(
  { ingress }: Pick<ParsedIngress, 'ingress'>,
  { host, pathText, backend }: Pick<ParsedRoute, 'host' | 'pathText'> & Partial<ParsedRoute>,
): Constants {
  const { namespace, name } = ingress.metadata
  const service = backend !== undefined && 'service' in backend ? backend.service : undefined
  return {
    namespace,
    ingress_name: name,
    service_name: service?.name ?? '',
    service_port: String(service?.port ?? ''),
    location_path: pathBytes(pathText),
    server_name: host || '_',
  }
}

/** Plain data with the text of constants in their place; the same object where it holds none. */
export function bindConstants<Data>(data: Data, constants: Constants): Data {
  return bind(data, constants) as Data
}

function bind(part: unknown, constants: Constants): unknown {
  if (typeof part !== 'object' || part === null) return part
  if (Array.isArray(part)) {
    const bound = part.map((item: unknown) => bind(item, constants))
    return bound.some((item, i) => item !== part[i]) ? bound : part
  }
  if ('constant' in part) return { text: constants[part.constant as Constant] }
  const entries: [string, unknown][] = Object.entries(part)
  const bound = entries.map(([, value]) => bind(value, constants))
  if (entries.every(([, value], i) => value === bound[i])) return part
  return Object.fromEntries(entries.map(([name], i) => [name, bound[i]]))
}
