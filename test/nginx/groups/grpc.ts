import type { Comparison, Group } from '../comparison.ts'

const message = '\0\0\0\0\u0003abc'
const call = {
  method: 'POST',
  target: '/test.Words/One',
  fields: { 'Content-Type': 'application/grpc', TE: 'trailers', 'X-Metadata': 'm' },
  body: message,
}
const ok = {
  fields: { 'Content-Type': 'application/grpc' },
  body: message,
  trailers: { 'grpc-status': '0', 'grpc-message': 'fine' },
}

function over(protocol: 'GRPC' | 'GRPCS'): Comparison {
  const scheme = protocol.toLowerCase()
  return {
    key: 'backend-protocol',
    name: protocol,
    annotations: { 'backend-protocol': protocol },
    service: scheme,
    pass: `grpc_pass ${scheme}://${scheme};`,
    requests: [
      { ...call, tls: { http2: true }, upstream: ok },
      { ...call, tls: { http2: true }, upstream: { ...ok, trailers: { 'grpc-status': '5' } } },
      { target: '/plain', tls: { http2: true }, upstream: { status: 404 } },
    ],
  }
}

/** Calls of gRPC, and what else HTTP/2 clients ask. */
export const grpc: Group = {
  name: 'gRPC and HTTP/2',
  // As nginx has it by itself since 1.23.4.
  http: 'grpc_ssl_protocols TLSv1.2 TLSv1.3;',
  comparisons: [
    over('GRPC'),
    over('GRPCS'),
    {
      key: 'proxy-read-timeout',
      name: 'of a call',
      annotations: { 'backend-protocol': 'GRPC', 'proxy-read-timeout': '1' },
      service: 'grpc',
      pass: 'grpc_pass grpc://grpc;',
      location: 'grpc_read_timeout 1s;',
      requests: [{ tls: { http2: true }, upstream: { waitMs: 2500 }, withinMs: 400 }],
    },
    {
      key: 'backend-protocol',
      name: 'HTTP, for a client of HTTP/2',
      annotations: {},
      requests: [
        { tls: { http2: true }, target: '/a?b', fields: { Cookie: 'a=b' } },
        { tls: { http2: true }, method: 'POST', body: 'abc' },
      ],
    },
  ],
}
