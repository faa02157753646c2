/** What every proxy serves in the comparison: one host, one backend, over HTTP and HTTPS. */
export interface Site {
  readonly host: string
  readonly backendPort: number
  /** Where the backend speaks h2c, for gRPC. */
  readonly grpcPort: number
  /** The same for calls that are answered by a stream of messages. */
  readonly streamPort: number
  readonly certificateFile: string
  readonly keyFile: string
  /** Temporary folder for configurations, logs and outputs. */
  readonly folder: string
  /** CPUs of the proxies, as `taskset -c` reads them. */
  readonly proxyCores: string
}

/** What the proxies have on beside routing and forwarding fields. */
export interface Setup {
  /** A JSON access log. */
  readonly logged: boolean
  /** nginx writes each line of it by itself, as ingress-nginx has it unless told otherwise, and not in blocks. */
  readonly logLines: boolean
  /** The policies of `policies.ts`. */
  readonly policies: boolean
}

/** One build of one proxy. */
export interface ProxyBuild {
  readonly kind: ProxyKind
  /** The program. */
  readonly path: string
  /** Name and version for the tables. */
  readonly label: string
}

export const proxyKinds = ['headgate', 'nginx', 'haproxy', 'envoy'] as const
export type ProxyKind = (typeof proxyKinds)[number]

/** A proxy that runs. */
export interface RunningProxy {
  readonly build: ProxyBuild
  readonly pid: number
  readonly httpPort: number
  readonly httpsPort: number
  /** Files that hold its access log, emptied between rounds. */
  readonly logFiles: readonly string[]
  readonly stop: () => Promise<void>
}

/** Fields of the access log, for all alike; each proxy names its own variables. */
export const logFields = [
  'time',
  'request_id',
  'client',
  'method',
  'host',
  'path',
  'status',
  'bytes_sent',
  'duration',
  'upstream',
  'upstream_duration',
  'user_agent',
] as const

export type LogField = (typeof logFields)[number]

/** A JSON template with a variable for each field. */
export function jsonTemplate(variables: Readonly<Record<LogField, string>>): string {
  return `{${logFields.map((field) => `"${field}":"${variables[field]}"`).join(',')}}`
}
