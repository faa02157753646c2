import type { Group } from '../comparison.ts'

const get = [{}]
const kilobytes = (count: number): string => 'x'.repeat(count * 1024)

/** Bodies, timeouts, other tries: how requests are passed on. */
export const passing: Group = {
  name: 'bodies, timeouts, tries',
  comparisons: [
    {
      key: 'proxy-body-size',
      name: 'a limit',
      annotations: { 'proxy-body-size': '1k' },
      location: 'client_max_body_size 1k;',
      requests: [
        { method: 'POST', body: kilobytes(1) },
        { method: 'POST', body: `${kilobytes(1)}x` },
        { method: 'POST', body: `${kilobytes(1)}x`, fields: { 'Transfer-Encoding': 'chunked' } },
        { method: 'POST', body: kilobytes(1), fields: { 'Transfer-Encoding': 'chunked' } },
      ],
    },
    {
      key: 'proxy-body-size',
      name: 'none',
      annotations: { 'proxy-body-size': '0' },
      location: 'client_max_body_size 0;',
      requests: [{ method: 'POST', body: kilobytes(2_000) }],
    },
    {
      key: 'proxy-body-size',
      name: 'the default, one megabyte',
      annotations: {},
      requests: [
        { method: 'POST', body: kilobytes(1024) },
        { method: 'POST', body: `${kilobytes(1024)}x` },
      ],
    },
    {
      key: 'proxy-request-buffering',
      name: 'off',
      annotations: { 'proxy-request-buffering': 'off' },
      location: 'proxy_request_buffering off;',
      requests: [
        { method: 'POST', body: kilobytes(100) },
        { method: 'POST', body: kilobytes(100), fields: { 'Transfer-Encoding': 'chunked' } },
      ],
    },
    {
      key: 'proxy-request-buffering',
      name: 'on',
      annotations: { 'proxy-request-buffering': 'on' },
      location: 'proxy_request_buffering on;',
      requests: [
        { method: 'POST', body: kilobytes(100) },
        { method: 'POST', body: kilobytes(100), fields: { 'Transfer-Encoding': 'chunked' } },
      ],
    },
    {
      key: 'proxy-read-timeout',
      name: 'an upstream that says nothing',
      annotations: { 'proxy-read-timeout': '1', 'proxy-next-upstream-tries': '1' },
      location: 'proxy_read_timeout 1s; proxy_next_upstream_tries 1;',
      requests: [{ upstream: { waitMs: 2500 }, withinMs: 400 }, {}],
    },
    {
      key: 'proxy-send-timeout',
      name: 'an upstream that does not read',
      annotations: {
        'proxy-send-timeout': '1',
        'proxy-body-size': '0',
        'proxy-next-upstream-tries': '1',
      },
      location: 'proxy_send_timeout 1s; client_max_body_size 0; proxy_next_upstream_tries 1;',
      requests: [
        { method: 'PUT', body: kilobytes(16_000), upstream: { deaf: true }, withinMs: 700 },
      ],
    },
    {
      key: 'proxy-connect-timeout',
      name: 'nobody accepts the connection',
      annotations: { 'proxy-connect-timeout': '1', 'proxy-next-upstream-tries': '1' },
      service: 'silent',
      location: 'proxy_connect_timeout 1s; proxy_next_upstream_tries 1;',
      requests: [{ withinMs: 400 }],
    },
    {
      key: 'proxy-next-upstream',
      name: 'the default: another endpoint after a refused connection',
      annotations: {},
      service: 'half',
      requests: [{ times: 4 }, { method: 'POST', body: 'abc', times: 4 }],
    },
    {
      key: 'proxy-next-upstream',
      name: 'the default: a status is an answer',
      annotations: {},
      service: 'fresh',
      requests: [{ upstream: { status: 503 } }, { upstream: { hangUp: true, tries: 1 } }],
    },
    {
      key: 'proxy-next-upstream',
      name: 'statuses',
      annotations: { 'proxy-next-upstream': 'error timeout http_503 http_429' },
      service: 'trio',
      location: 'proxy_next_upstream error timeout http_503 http_429;',
      requests: [
        { upstream: { status: 503, tries: 1 } },
        { upstream: { status: 429, tries: 2 } },
        { upstream: { status: 503 } },
        { upstream: { status: 502, tries: 1 } },
        { method: 'POST', body: 'abc', upstream: { status: 503, tries: 1 } },
        { method: 'PUT', body: 'abc', upstream: { status: 503, tries: 1 } },
      ],
    },
    {
      key: 'proxy-next-upstream',
      name: 'requests that are not idempotent',
      annotations: { 'proxy-next-upstream': 'error http_503 non_idempotent' },
      service: 'fresh',
      location: 'proxy_next_upstream error http_503 non_idempotent;',
      requests: [
        { method: 'POST', body: 'abc', upstream: { status: 503, tries: 1 } },
        { method: 'POST', body: 'abc', upstream: { hangUp: true, tries: 1 } },
      ],
    },
    {
      key: 'proxy-next-upstream',
      name: 'off',
      annotations: { 'proxy-next-upstream': 'off' },
      service: 'fresh',
      location: 'proxy_next_upstream off;',
      requests: [{ upstream: { hangUp: true, tries: 1 } }, { upstream: { status: 503 } }],
    },
    {
      key: 'proxy-next-upstream',
      name: 'a timeout, where only errors count',
      annotations: { 'proxy-next-upstream': 'error', 'proxy-read-timeout': '1' },
      service: 'trio',
      location: 'proxy_next_upstream error; proxy_read_timeout 1s;',
      requests: [{ upstream: { waitMs: 2500, tries: 1 } }],
    },
    {
      key: 'proxy-next-upstream-tries',
      name: 'two',
      annotations: { 'proxy-next-upstream': 'http_503', 'proxy-next-upstream-tries': '2' },
      service: 'trio',
      location: 'proxy_next_upstream http_503; proxy_next_upstream_tries 2;',
      requests: [{ upstream: { status: 503 } }, { upstream: { status: 503, tries: 1 } }],
    },
    {
      key: 'proxy-next-upstream-tries',
      name: 'no limit but that of the endpoints',
      annotations: { 'proxy-next-upstream': 'http_503', 'proxy-next-upstream-tries': '0' },
      service: 'trio',
      location: 'proxy_next_upstream http_503; proxy_next_upstream_tries 0;',
      requests: [{ upstream: { status: 503 } }],
    },
    {
      key: 'proxy-next-upstream-timeout',
      name: 'no try after it',
      annotations: {
        'proxy-next-upstream': 'timeout http_503',
        'proxy-read-timeout': '2',
        'proxy-next-upstream-timeout': '1',
      },
      service: 'trio',
      location:
        'proxy_next_upstream timeout http_503; proxy_read_timeout 2s; proxy_next_upstream_timeout 1s;',
      requests: [
        { upstream: { status: 503, waitMs: 1200, tries: 1 } },
        { upstream: { status: 503, tries: 1 } },
      ],
    },
    {
      key: 'proxy-buffer-size',
      name: 'heads of answers that fit, and one that does not',
      annotations: { 'proxy-buffer-size': '2k' },
      location: 'proxy_buffer_size 2k; proxy_buffers 4 2k; proxy_busy_buffers_size 4k;',
      requests: [
        { upstream: { fields: { 'X-Long': 'x'.repeat(1500) } } },
        { upstream: { fields: { 'X-Long': 'x'.repeat(3000) } } },
        { upstream: { bodyBytes: 20_000 } },
      ],
    },
    // Keys of which nothing is left to set: what clients and upstreams get is alike all the same.
    ...[
      ['proxy-buffering', 'on', 'proxy_buffering on;'],
      ['proxy-buffers-number', '8', 'proxy_buffers 8 4k;'],
      ['proxy-busy-buffers-size', '8k', 'proxy_busy_buffers_size 8k;'],
      ['proxy-max-temp-file-size', '0', 'proxy_max_temp_file_size 0;'],
      ['client-body-buffer-size', '1k', 'client_body_buffer_size 1k;'],
      ['http2-push-preload', 'true', 'http2_push_preload on;'],
      ['enable-rewrite-log', 'true', 'rewrite_log on;'],
    ].map(([key = '', text = '', location = '']) => ({
      key,
      name: `${text}, which changes no answer`,
      annotations: { [key]: text },
      location,
      requests: [
        { upstream: { bodyBytes: 300_000, fields: { Link: '</a.css>; rel=preload' } } },
        { method: 'POST', body: kilobytes(300), upstream: { status: 201 } },
      ],
    })),
    {
      key: 'proxy-http-version',
      name: '1.0',
      annotations: { 'proxy-http-version': '1.0' },
      location: 'proxy_http_version 1.0;',
      requests: [{}, { method: 'POST', body: 'abc' }],
    },
    {
      key: 'connection-proxy-header',
      name: 'close',
      annotations: { 'connection-proxy-header': 'close' },
      location: 'proxy_set_header Connection close;',
      requests: get,
    },
    {
      key: 'connection-proxy-header',
      name: 'keep-alive',
      annotations: { 'connection-proxy-header': 'keep-alive' },
      location: 'proxy_set_header Connection keep-alive;',
      requests: get,
    },
  ],
}
