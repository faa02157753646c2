/**
 * What becomes of a key of ingress-nginx's ConfigMap that Headgate has no setting for, for good.
 *
 * `unused`: what it sets needs no setting here. `refused`: it asks for something that is done otherwise,
 * or not at all.
 */
export interface OptionVerdict {
  readonly verdict: 'unused' | 'refused'
  /** Why; for what is refused also what to use in its place. */
  readonly why: string
  /** Values, in lower case, that ask for nothing else than what holds here. */
  readonly presets: readonly string[]
}

function unused(why: string): OptionVerdict {
  return { verdict: 'unused', why, presets: [] }
}

function refused(why: string, ...presets: readonly string[]): OptionVerdict {
  return { verdict: 'refused', why, presets }
}

const growing = 'tables grow as needed'
const noReloads = 'there are no reloads'
const noStatusPage =
  'there is no status page of nginx; the admin port has addresses and a token of its own'
const toOutput =
  'the access log is standard output; let the container runtime or a redirection write it where it belongs'
const noSyslog = 'collect standard output and standard error in place of syslog'
const noPlaces =
  'there is no database of places; let what stands in front add a header field, or use allow and deny lists'
const noJaeger =
  'ingress-nginx dropped it for OpenTelemetry: use enable-opentelemetry, otlp-* and otel-*'

export const ingressNginxOptionVerdicts: Readonly<Record<string, OptionVerdict>> = {
  'access-log-params': unused(
    'lines are buffered in memory, and a slow reader never holds up a request',
  ),
  'access-log-path': refused(toOutput, '/dev/stdout', '/var/log/nginx/access.log'),
  'bind-address': refused('use the flag --bind-address'),
  'client-header-buffer-size': unused(
    'heads take the memory that they need, up to large-client-header-buffers',
  ),
  'debug-connections': refused(
    'use headgate explain for one request, and the flag --log-level debug',
  ),
  'default-type': unused(
    'it is for files that nginx serves itself; what upstreams send goes as it is',
  ),
  'disable-http-access-log': refused(
    'use disable-access-log, or enable-access-log on an Ingress',
    'false',
  ),
  'disable-ipv6': refused(
    'use the flag --bind-address with addresses of IPv4 alone, such as 0.0.0.0',
    'false',
  ),
  'disable-ipv6-dns': refused(
    'names are resolved to addresses of both families, and endpoints that do not answer are passed over',
    'false',
  ),
  'disable-stream-access-log': refused('use disable-access-log', 'false'),
  'enable-access-log-for-default-backend': unused(
    'requests that no rule matches are always logged; enable-access-log and disable-access-log switch lines off',
  ),
  'enable-aio-write': unused('nothing is written to disk on the way of a request'),
  'enable-auth-access-log': unused('the access log has one line for each request of a client'),
  'enable-multi-accept': unused('a worker takes every connection that waits'),
  'enable-serial-reloads': unused(noReloads),
  'enable-syslog': refused(noSyslog, 'false'),
  'error-log-level': refused('use the flag --log-level', 'notice'),
  'error-log-path': refused(
    'the process log is standard error; let the container runtime or a redirection write it where it belongs',
    '/dev/stderr',
    '/var/log/nginx/error.log',
  ),
  'forwarded-for-proxy-protocol-header': refused(
    'behind a PROXY header the address in it is the client, as X-Forwarded-For says',
    'x-forwarded-for-proxy-protocol',
  ),
  'forwarded-host-header': refused(
    'X-Forwarded-Host is the field in which a trusted peer names the host',
    'x-forwarded-host',
  ),
  'geoip2-autoreload-in-minutes': refused('there is no database of places', '0'),
  'grpc-buffer-size-kb': unused('messages are passed on as they come'),
  'gzip-disable': unused('clients that say they accept gzip and do not have died out'),
  'http-access-log-path': refused(toOutput, '/dev/stdout', '/var/log/nginx/access.log'),
  'http2-max-field-size': unused(
    'large-client-header-buffers bounds fields of HTTP/2, too, as in nginx since 1.19.7',
  ),
  'http2-max-header-size': unused(
    'large-client-header-buffers bounds heads of HTTP/2, too, as in nginx since 1.19.7',
  ),
  'http2-max-requests': unused(
    'keep-alive-requests counts for HTTP/2, too, as in nginx since 1.19.7',
  ),
  'jaeger-baggage-header': refused(noJaeger),
  'jaeger-collector-host': refused(noJaeger),
  'jaeger-collector-port': refused(noJaeger),
  'jaeger-debug-header': refused(noJaeger),
  'jaeger-endpoint': refused(noJaeger),
  'jaeger-propagation-format': refused(noJaeger),
  'jaeger-sampler-host': refused(noJaeger),
  'jaeger-sampler-param': refused(noJaeger),
  'jaeger-sampler-port': refused(noJaeger),
  'jaeger-sampler-type': refused(noJaeger),
  'jaeger-service-name': refused(noJaeger),
  'jaeger-trace-baggage-header-prefix': refused(noJaeger),
  'jaeger-trace-context-header-name': refused(noJaeger),
  'limit-conn-zone-variable': refused(
    'limits count by the address of the client',
    '$binary_remote_addr',
  ),
  'lua-shared-dicts': unused('there is no Lua; tables of shared memory have sizes of their own'),
  'map-hash-bucket-size': unused(growing),
  'max-worker-connections': unused(
    'connections are bounded by the file descriptors of the process',
  ),
  'max-worker-open-files': unused('the limit of the container holds'),
  'nginx-status-ipv4-whitelist': unused(noStatusPage),
  'nginx-status-ipv6-whitelist': unused(noStatusPage),
  'proxy-headers-hash-bucket-size': unused(growing),
  'proxy-headers-hash-max-size': unused(growing),
  'proxy-ssl-location-only': refused('proxy-ssl-* of an Ingress hold for its own paths', 'false'),
  'reuse-port': refused(
    'every worker listens by itself (SO_REUSEPORT), so that none hands connections on',
    'true',
  ),
  'server-name-hash-bucket-size': unused(growing),
  'server-name-hash-max-size': unused(growing),
  'server-tokens': unused('answers never name the proxy'),
  'ssl-buffer-size': unused('records are as large as what is written at once'),
  'stream-access-log-path': refused(toOutput, '/dev/stdout', '/var/log/nginx/access.log'),
  'syslog-host': refused(noSyslog),
  'syslog-port': refused(noSyslog, '514'),
  'use-geoip': refused(noPlaces, 'false'),
  'use-geoip2': refused(noPlaces, 'false'),
  'variables-hash-bucket-size': unused(growing),
  'variables-hash-max-size': unused(growing),
  'worker-cpu-affinity': unused('the kernel places the threads'),
  'worker-processes': refused('use the flag --workers', 'auto'),
  'worker-serial-reloads': unused(noReloads),
  'enable-ocsp': refused(
    'OCSP stapling is not done; certificate authorities give up OCSP for lists and short lifetimes',
    'false',
  ),
  'ssl-dh-param': refused(
    'no suite with finite-field Diffie-Hellman is offered, so there are no parameters to set',
  ),
  'ssl-early-data': refused(
    'early data of TLS 1.3 can be sent again by an attacker, and is not taken',
    'false',
  ),
  'ssl-ecdh-curve': refused('the curves are those that OpenSSL offers by itself', 'auto'),
  'ssl-session-cache': unused(
    'sessions are resumed by tickets, in every worker, and need no cache',
  ),
  'ssl-session-cache-size': unused(
    'sessions are resumed by tickets, in every worker, and need no cache',
  ),
  'ssl-session-ticket-key': refused('keys of tickets are made and changed by Headgate itself'),
  'ssl-session-tickets': unused(
    'sessions are resumed by tickets whose keys change; TLS 1.3 has no other way',
  ),
  'ssl-session-timeout': refused('a session can be resumed for ten minutes', '10m', '600', '600s'),
}
