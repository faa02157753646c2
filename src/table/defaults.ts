import type { GlobalOptions, RouteSettings, RouteTable } from './table.ts'

/**
 * Every default of times, sizes and switches, in one table. They are ingress-nginx's unless a line
 * says otherwise; annotations and ConfigMap keys take their defaults from here.
 */
export const defaultRouteSettings: RouteSettings = {
  bodyBytesMax: 1024 * 1024,
  responseHeadBytesMax: 0,
  connectTimeoutMs: 5000,
  sendTimeoutMs: 60_000,
  readTimeoutMs: 60_000,
  retry: {
    triesMax: 3,
    timeoutMs: 0,
    onError: true,
    onTimeout: true,
    onInvalidHeader: false,
    onStatuses: [],
    nonIdempotent: false,
  },
  requestBuffering: true,
  accessLog: true,
  strictPath: false,
}

export const defaultGlobalOptions: GlobalOptions = {
  accessLog: true,
  keepAliveTimeoutMs: 75_000,
  keepAliveRequests: 1000,
  upstreamKeepAliveConnections: 320,
  upstreamKeepAliveRequests: 10_000,
  upstreamKeepAliveTimeoutMs: 60_000,
  upstreamKeepAliveTimeMs: 3_600_000,
  http2ConcurrentStreams: 128,
  upstreamPingIntervalMs: 0,
  requestHeadTimeoutMs: 60_000,
  requestBodyTimeoutMs: 60_000,
  requestLineBytesMax: 8 * 1024,
  requestHeadBytesMax: 32 * 1024,
  // nginx bounds the bytes of a head only; many tiny fields cost more than their bytes.
  requestFieldsMax: 1000,
  // ingress-nginx gives a response head one buffer of 4k, and users run into it.
  responseHeadBytesMax: 64 * 1024,
  useForwardedHeaders: false,
  realIp: false,
  computeFullForwardedFor: false,
  forwardedForHeader: 'X-Forwarded-For',
  trustedPeers: ['0.0.0.0/0'],
  proxyHeaderTimeoutMs: 5000,
  underscoresInHeaders: false,
  ignoreInvalidHeaders: true,
  generateRequestId: true,
  tlsCiphers: [],
  tlsVersions: ['TLSv1.2', 'TLSv1.3'],
  tlsRejectUnknown: false,
  backendServerHeader: false,
  http2: true,
  logFormat: [],
  logEscape: 'default',
  streamLogFormat: [],
  skipAccessLogUrls: [],
  hsts: 'max-age=31536000; includeSubDomains',
  // ingress-nginx cuts connections after 240 s.
  drainTimeoutMs: 300_000,
  policies: [],
}

/** A table with nothing in it: what a worker has before its first one. */
export const emptyTable: RouteTable = {
  listeners: new Map(),
  hosts: new Map(),
  backends: new Map(),
  certificates: new Map(),
  authorities: new Map(),
  options: defaultGlobalOptions,
}
