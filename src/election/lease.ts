/** A Lease (coordination.k8s.io/v1) as an election reads it. */
export interface Lease {
  /** As the API server sent it: what is not ours to change goes back with an update. */
  readonly raw: Readonly<Record<string, unknown>>
  /** '': nobody holds it. */
  readonly holder: string
  /** How long the holder's last renewal counts, in milliseconds; 0: unknown. */
  readonly durationMs: number
  readonly transitions: number
  readonly acquireTime: string
  /** Text that is another one after every renewal, whoever made it. */
  readonly renewal: string
}

/** What a candidate writes. */
export interface Claim {
  readonly holder: string
  readonly durationMs: number
  readonly transitions: number
  /** RFC 3339 with microseconds. For people: no replica believes the clock of another. */
  readonly acquireTime: string
  readonly renewTime: string
}

/** Reads a Lease; fields of the wrong type count as absent. */
export function readLease(raw: unknown): Lease {
  const object = recordOf(raw)
  const spec = recordOf(object['spec'])
  const seconds = spec['leaseDurationSeconds']
  const transitions = spec['leaseTransitions']
  return {
    raw: object,
    holder: textOf(spec['holderIdentity']),
    durationMs: typeof seconds === 'number' && seconds > 0 ? seconds * 1000 : 0,
    transitions: typeof transitions === 'number' ? transitions : 0,
    acquireTime: textOf(spec['acquireTime']),
    renewal: JSON.stringify(spec),
  }
}

/**
 * The Lease to send for a claim: `before` with another spec, so that its resourceVersion makes the API
 * server refuse the claim (409) when somebody else was faster. Undefined: it is to be created.
 */
export function leaseWith(
  { namespace, name }: { readonly namespace: string; readonly name: string },
  before: Lease | undefined,
  claim: Claim,
): Record<string, unknown> {
  const { holder, durationMs, transitions, acquireTime, renewTime } = claim
  return {
    ...before?.raw,
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { ...recordOf(before?.raw['metadata']), namespace, name },
    spec: {
      ...recordOf(before?.raw['spec']),
      holderIdentity: holder,
      leaseDurationSeconds: Math.max(1, Math.ceil(durationMs / 1000)),
      acquireTime,
      renewTime,
      leaseTransitions: transitions,
    },
  }
}

/** metav1.MicroTime. */
export function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z')
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
