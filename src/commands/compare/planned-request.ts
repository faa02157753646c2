/** One request to send to both controllers. */
export interface PlannedRequest {
  readonly method: string
  /** What Host and SNI say. */
  readonly host: string
  readonly target: string
  /** Flat [name, value, …], beside Host. */
  readonly fields: readonly string[]
  /** Where it comes from, for people: an Ingress and its path, or a line of a log. */
  readonly from: string
}

/** Methods that change nothing (RFC 9110 9.2.1). */
export const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Two requests with one key ask the same. */
export function requestKey({ method, host, target, fields }: PlannedRequest): string {
  return JSON.stringify([method, host, target, fields])
}
