import type { Service, ServicePort } from '#src/snapshot/objects.ts'

/** A port of a Service, found; `name` picks the EndpointSlice port. */
export interface ResolvedPort {
  /** The Service's own number for it. */
  readonly port: number
  /** Name in EndpointSlices. */
  readonly name: string
  /** Port at an ExternalName host; 0 for other Services, whose slices say it. */
  readonly externalPort: number
  /** What the Service says is spoken there (KEP-3726, and IANA names), '' for nothing. */
  readonly appProtocol: string
}

/**
 * The Service port that an Ingress means. A number is the Service's own, never a targetPort; a name
 * is the port's, or else the name of its targetPort, as ingress-nginx has it. HTTP runs on TCP.
 *
 * A Service of type ExternalName needs no ports: then the number in the Ingress is the port.
 */
export function resolvePort(service: Service, wanted: string | number): ResolvedPort | undefined {
  const tcp = service.ports.filter(({ protocol }) => protocol === 'TCP' || protocol === '')
  const found =
    typeof wanted === 'number'
      ? tcp.find(({ port }) => port === wanted)
      : (tcp.find(({ name }) => name === wanted) ??
        tcp.find(({ targetPort }) => targetPort === wanted))
  const external = service.type === 'ExternalName'
  if (found !== undefined) return resolved(found, external)
  if (!external || typeof wanted !== 'number') return undefined
  return { port: wanted, name: '', externalPort: wanted, appProtocol: '' }
}

/** The first TCP port, for the default backend of the command line. */
export function firstPort(service: Service): ResolvedPort | undefined {
  const first = service.ports.find(({ protocol }) => protocol === 'TCP' || protocol === '')
  return first === undefined ? undefined : resolved(first, service.type === 'ExternalName')
}

function resolved(
  { port, name, targetPort, appProtocol }: ServicePort,
  external: boolean,
): ResolvedPort {
  const target = typeof targetPort === 'number' && targetPort > 0 ? targetPort : port
  return { port, name, externalPort: external ? target : 0, appProtocol }
}
