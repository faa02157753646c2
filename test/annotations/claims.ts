/**
 * Why each key of ingress-nginx may be called `same` or `translated`: a line a key.
 *
 * key ; what must stand beside it ; a value ; what the table says for it alone (`=`: nothing else) ; a bad value ; the
 * finding ; what stands beside it in the case of interaction ; what the table says then (`!`: does not
 * say) ; tests of what it does to requests: files that name it, or `file#text` where they do so otherwise, or nginx.
 *
 * Every key is compared with nginx itself (test/nginx), or `notCompared` says why not. All is checked by
 * claims.test.ts.
 */
const lines = String.raw`
proxy-body-size ; ; 8m ; bodyBytesMax=8388608 ; 8x ; annotation-invalid ; headgate.dev/proxy-body-size=1k ; bodyBytesMax=1024 ; test/proxy/exchange.test.ts#bodyBytesMax nginx
proxy-buffer-size ; ; 16k ; responseHeadBytesMax=16384 ; 16x ; annotation-invalid ; headgate.dev/proxy-buffer-size=8k ; responseHeadBytesMax=8192 ; test/proxy/response-head-size.test.ts nginx
proxy-connect-timeout ; ; 3 ; connectTimeoutMs=3000 ; soon ; annotation-invalid ; proxy-read-timeout=9 ; connectTimeoutMs=3000 readTimeoutMs=9000 ; test/proxy/exchange.test.ts#connectTimeoutMs
proxy-send-timeout ; ; 30 ; sendTimeoutMs=30000 ; -1 ; annotation-invalid ; headgate.dev/proxy-send-timeout=7 ; sendTimeoutMs=7000 ; test/proxy/exchange.test.ts#sendTimeoutMs
proxy-read-timeout ; ; 5m ; readTimeoutMs=300000 ; 1 hour ; annotation-invalid ; configuration-snippet=proxy_read_timeout 9s; ; readTimeoutMs=9000 ; nginx
proxy-next-upstream ; ; error http_503 ; "onStatuses":[503] ; http_418 ; annotation-invalid ; proxy-next-upstream-tries=5 ; "triesMax":5 ; test/proxy/exchange.test.ts#onStatuses
proxy-next-upstream-timeout ; ; 10 ; "timeoutMs":10000 ; ten ; annotation-invalid ; proxy-next-upstream=off ; "onError":false ; test/compile/settings.test.ts#retry
proxy-next-upstream-tries ; ; 2 ; "triesMax":2 ; -2 ; annotation-invalid ; proxy-next-upstream=timeout ; "onError":false ; test/proxy/exchange.test.ts#triesMax
enable-access-log ; ; false ; accessLog=false ; no ; annotation-invalid ; headgate.dev/enable-access-log=true ; !accessLog=false ; test/compile/settings.test.ts#accessLog
backend-protocol ; ; HTTPS ; tls ; SPDY ; annotation-invalid ; proxy-ssl-verify=on & proxy-ssl-secret=shop/upstream ; "verify":true ; test/proxy/http2-grpc.test.ts#grpc
proxy-http-version ; ; 1.0 ; http1.0 ; 2.0 ; annotation-invalid ; headgate.dev/proxy-http-version=1.1 ; !http1.0 ; nginx
proxy-ssl-secret ; backend-protocol=HTTPS ; shop/upstream ; -----BEGIN ; shop/none ; reference-secret-missing ; proxy-ssl-verify=on ; "verify":true ; test/golden/upstream-protocols.yaml
proxy-ssl-verify ; backend-protocol=HTTPS & proxy-ssl-secret=shop/upstream ; on ; "verify":true ; true ; annotation-invalid ; proxy-ssl-name=in.example ; in.example ; test/golden/upstream-protocols.yaml
proxy-ssl-verify-depth ; backend-protocol=HTTPS & proxy-ssl-secret=shop/upstream & proxy-ssl-verify=on ; 4 ; "verifyDepth":4 ; deep ; annotation-invalid ; headgate.dev/proxy-ssl-verify-depth=2 ; "verifyDepth":2 ; test/transport/contract-upstream-tls.ts#verifyDepth
proxy-ssl-name ; backend-protocol=HTTPS & proxy-ssl-server-name=on ; in.example ; "serverName":"in.example" ; not a name ; annotation-invalid ; headgate.dev/proxy-ssl-name=other.example ; other.example ; test/golden/upstream-protocols.yaml
proxy-ssl-server-name ; backend-protocol=HTTPS & proxy-ssl-name=in.example ; on ; "serverName":"in.example" ; yes ; annotation-invalid ; headgate.dev/proxy-ssl-server-name=off ; "serverName":"" ; test/transport/contract-upstream-tls.ts#serverName
proxy-ssl-ciphers ; backend-protocol=HTTPS ; HIGH:!aNULL ; HIGH:!aNULL ; HIGH LOW! ; annotation-invalid ; proxy-ssl-protocols=TLSv1.3 ; HIGH:!aNULL ; test/golden/upstream-protocols.yaml
proxy-ssl-protocols ; backend-protocol=HTTPS ; TLSv1.3 ; TLSv1.3 ; SSLv3 ; annotation-invalid ; proxy-ssl-ciphers=HIGH ; TLSv1.3 ; test/golden/upstream-protocols.yaml
server-alias ; ; alias.example ; host alias.example ; no_name ; annotation-invalid ; from-to-www-redirect=true ; host www.a.example ; nginx test/golden/rewrites.yaml
service-upstream ; ; true ; 10.96.0.1:80 ; maybe ; annotation-invalid ; affinity=cookie ; 10.96.0.1:80 ; test/golden/rewrites.yaml
default-backend ; ; sorry ; sorry ; no_service ; annotation-invalid ; service-upstream=true ; sorry ; test/golden/rewrites.yaml
ssl-ciphers ; ; ECDHE-RSA-AES256-GCM-SHA384 ; ciphers=ECDHE ; NO CIPHER! ; annotation-invalid ; ssl-prefer-server-ciphers=false ; client-order ; test/golden/handshakes.yaml
ssl-prefer-server-ciphers ; ; false ; client-order ; sometimes ; annotation-invalid ; ssl-ciphers=ECDHE-RSA-AES256-GCM-SHA384 ; client-order ; test/golden/handshakes.yaml
load-balance ; ; ewma ; peak-ewma ; fastest ; annotation-invalid ; upstream-hash-by=$request_uri ; consistent-hash ; test/compile/balance.test.ts
upstream-hash-by ; ; $request_uri ; consistent-hash ; $nothing ; annotation-invalid ; load-balance=ewma ; consistent-hash ; test/compile/balance.test.ts
upstream-hash-by-subset ; upstream-hash-by=$request_uri ; true ; subset ; all ; annotation-invalid ; upstream-hash-by-subset-size=7 ; 7 ; test/compile/balance.test.ts
upstream-hash-by-subset-size ; upstream-hash-by=$request_uri & upstream-hash-by-subset=true ; 5 ; 5 ; few ; annotation-invalid ; headgate.dev/upstream-hash-by-subset-size=6 ; 6 ; test/compile/balance.test.ts
canary ; canary-weight=20 ; true ; canary ; yes ; annotation-invalid ; canary-by-header=X-Canary ; x-canary ; test/proxy/canary.test.ts test/golden/canaries.yaml
canary-by-header ; canary=true ; X-Canary ; x-canary ; X Canary ; annotation-invalid ; canary-by-header-value=beta ; beta ; test/proxy/canary.test.ts#header test/golden/canaries.yaml
canary-by-header-value ; canary=true & canary-by-header=X-Canary ; beta ; beta ; a\u0001b ; annotation-invalid ; canary-by-header-pattern=^g ; beta ; test/proxy/canary.test.ts#value:
canary-by-header-pattern ; canary=true & canary-by-header=X-Canary ; ^Do[A-Z] ; ^Do[A-Z] ; [ ; annotation-invalid ; canary-by-header-value=beta ; beta ; test/proxy/canary.test.ts#pattern
canary-by-cookie ; canary=true ; flag ; flag ; no cookie ; annotation-invalid ; canary-weight=10 ; flag ; test/proxy/canary.test.ts#cookie
canary-weight ; canary=true ; 20 ; "weight":20 ; heavy ; annotation-invalid ; canary-weight-total=200 ; "weight":180 ; test/golden/canaries.yaml
canary-weight-total ; canary=true & canary-weight=20 ; 200 ; "weight":180 ; all ; annotation-invalid ; canary-weight=100 ; "weight":100 ; test/golden/canaries.yaml
affinity ; ; cookie ; session-affinity ; ip ; annotation-invalid ; upstream-hash-by=$request_uri ; session-affinity ; test/policies/session-affinity.test.ts
affinity-mode ; affinity=cookie ; persistent ; balanced=false ; strict ; annotation-invalid ; session-cookie-name=S ; cookie="S" ; test/commands/affinity-mode.test.ts
session-cookie-name ; affinity=cookie ; SERVERID ; cookie="SERVERID" ; a;b ; annotation-invalid ; session-cookie-path=/x ; path="/x" ; test/policies/session-affinity.test.ts#cookie: test/golden/canaries.yaml
session-cookie-path ; affinity=cookie ; /app ; path="/app" ; app;x ; annotation-invalid ; use-regex=true ; path="/app" ; test/policies/session-affinity.test.ts#path
session-cookie-domain ; affinity=cookie ; example.com ; domain="example.com" ; a;b ; annotation-invalid ; session-cookie-path=/x ; domain="example.com" ; test/policies/session-affinity.test.ts#domain
session-cookie-samesite ; affinity=cookie ; Lax ; sameSite="Lax" ; Loose ; annotation-invalid ; session-cookie-secure=true ; secure=true ; test/policies/session-affinity.test.ts#sameSite
session-cookie-conditional-samesite-none ; affinity=cookie ; true ; conditionalNone=true ; so ; annotation-invalid ; session-cookie-samesite=None ; sameSite="None" ; test/policies/session-affinity.test.ts#conditionalNone
session-cookie-secure ; affinity=cookie ; true ; secure=true ; on ; annotation-invalid ; session-cookie-samesite=None ; secure=true ; test/policies/session-affinity.test.ts#secure
session-cookie-expires ; affinity=cookie ; 172800 ; expires=172800 ; later ; annotation-invalid ; session-cookie-max-age=60 ; maxAge=60 ; test/policies/session-affinity.test.ts#expires
session-cookie-max-age ; affinity=cookie ; 600 ; maxAge=600 ; old ; annotation-invalid ; session-cookie-expires=60 ; expires=60 ; test/policies/session-affinity.test.ts#maxAge
session-cookie-change-on-failure ; affinity=cookie ; true ; changeOnFailure=true ; yes ; annotation-invalid ; affinity-mode=persistent ; changeOnFailure=true ; test/policies/session-affinity.test.ts#changeOnFailure
auth-tls-secret ; ; shop/ca ; client-certificates closed=false ; shop/none ; client-authorities-missing ; auth-tls-verify-client=off ; verify="off" ; test/golden/client-certificates.yaml
auth-tls-verify-client ; auth-tls-secret=shop/ca ; optional ; verify="optional" ; perhaps ; annotation-invalid ; auth-tls-verify-depth=3 ; depth=3 ; test/golden/client-certificates.yaml
auth-tls-verify-depth ; auth-tls-secret=shop/ca ; 3 ; depth=3 ; deep ; annotation-invalid ; auth-tls-verify-client=optional ; depth=3 ; test/golden/client-certificates.yaml
auth-tls-error-page ; auth-tls-secret=shop/ca ; https://www.example/no ; errorPage="https://www.example/no" ; no page ; annotation-invalid ; auth-tls-verify-client=optional ; errorPage="https://www.example/no" ; test/golden/client-certificates.yaml
auth-tls-match-cn ; auth-tls-secret=shop/ca ; CN=(a|b)$ ; subject="CN=(a|b)$" ; no ; annotation-invalid ; auth-tls-verify-depth=2 ; depth=2 ; test/golden/client-certificates.yaml
auth-tls-pass-certificate-to-upstream ; auth-tls-secret=shop/ca ; true ; passCertificate=true ; yes ; annotation-invalid ; auth-tls-verify-client=optional ; passCertificate=true ; test/golden/client-certificates.yaml
relative-redirects ; permanent-redirect=/new ; true ; relative=true ; so ; annotation-invalid ; temporal-redirect=/t ; status=302 ; nginx test/policies/rewrite.test.ts#relative
app-root ; ; /app ; app-root ; app ; annotation-invalid ; permanent-redirect=/new ; app-root ; nginx test/policies/rewrite.test.ts
from-to-www-redirect ; ; true ; host www.a.example ; www ; annotation-invalid ; server-alias=b.example ; host b.example ; nginx test/golden/url-redirects.yaml
enable-cors ; ; true ; cors origins ; yes ; annotation-invalid ; auth-type=basic & auth-secret=users ; cors origins ; nginx test/policies/cors.test.ts#preflight
cors-allow-origin ; enable-cors=true ; https://app.example ; app.example ; a b ; annotation-invalid ; cors-allow-credentials=false ; app.example ; test/policies/cors.test.ts#origin
cors-allow-methods ; enable-cors=true ; GET, POST ; "GET, POST" ; GE T! ; annotation-invalid ; cors-max-age=5 ; "GET, POST" ; test/golden/cors.yaml
cors-allow-headers ; enable-cors=true ; X-Token ; "X-Token" ; X Token! ; annotation-invalid ; cors-allow-methods=GET ; "X-Token" ; test/golden/cors.yaml
cors-allow-credentials ; enable-cors=true ; false ; !Access-Control-Allow-Credentials ; so ; annotation-invalid ; cors-allow-origin=https://a.example ; !Access-Control-Allow-Credentials ; test/golden/cors.yaml
cors-expose-headers ; enable-cors=true ; X-Total ; X-Total ; X Total! ; annotation-invalid ; cors-max-age=5 ; X-Total ; test/golden/cors.yaml
cors-max-age ; enable-cors=true ; 600 ; "600" ; long ; annotation-invalid ; cors-allow-methods=GET ; "600" ; test/golden/cors.yaml
custom-headers ; ; shop/fields ; custom-headers ; shop/none ; reference-configmap-missing ; enable-cors=true ; custom-headers ; nginx test/policies/fields.test.ts
permanent-redirect ; ; https://www.example/new ; status=301 ; new ; annotation-invalid ; temporal-redirect=/t ; status=302 ; nginx test/policies/rewrite.test.ts
permanent-redirect-code ; permanent-redirect=/new ; 308 ; status=308 ; 200 ; annotation-invalid ; temporal-redirect=/t ; status=302 ; nginx
temporal-redirect ; ; https://www.example$request_uri ; status=302 ; later ; annotation-invalid ; permanent-redirect=/p ; status=302 ; nginx
temporal-redirect-code ; temporal-redirect=/t ; 307 ; status=307 ; 308 ; annotation-invalid ; permanent-redirect=/p ; status=307 ; nginx
ssl-redirect ; force-ssl-redirect=false ; false ; !ssl-redirect ; never ; annotation-invalid ; force-ssl-redirect=true ; ssl-redirect status=308 ; test/policies/ssl-redirect.test.ts
force-ssl-redirect ; ; true ; ssl-redirect status=308 ; always ; annotation-invalid ; ssl-redirect=false ; ssl-redirect status=308 ; test/policies/ssl-redirect.test.ts
preserve-trailing-slash ; force-ssl-redirect=true ; true ; keepTrailingSlash=true ; so ; annotation-invalid ; use-port-in-redirects=true ; keepTrailingSlash=true ; test/policies/ssl-redirect.test.ts
use-port-in-redirects ; force-ssl-redirect=true ; true ; port=443 ; so ; annotation-invalid ; preserve-trailing-slash=true ; port=443 ; test/policies/ssl-redirect.test.ts
limit-connections ; ; 10 ; connections=10 ; many ; annotation-invalid ; limit-rps=5 ; perSecond=5 ; nginx test/policies/limits.test.ts#connections
limit-rps ; ; 20 ; perSecond=20 ; fast ; annotation-invalid ; limit-rpm=5 ; perMinute=5 ; nginx test/policies/limits.test.ts#perSecond
limit-rpm ; ; 300 ; perMinute=300 ; slow ; annotation-invalid ; limit-burst-multiplier=2 ; burstMultiplier=2 ; nginx test/policies/limits.test.ts#perMinute
limit-burst-multiplier ; limit-rps=1 ; 3 ; burstMultiplier=3 ; 0 ; annotation-invalid ; limit-rpm=4 ; burstMultiplier=3 ; nginx
limit-allowlist ; limit-rps=1 ; 10.0.0.0/8 ; exempt=["10.0.0.0/8"] ; home ; annotation-invalid ; allowlist-source-range=192.0.2.1 ; allow=["192.0.2.1"] ; test/policies/limits.test.ts#exempt
allowlist-source-range ; ; 10.0.0.0/8 ; allow=["10.0.0.0/8"] ; home ; annotation-invalid ; denylist-source-range=10.1.0.0/16 ; deny=["10.1.0.0/16"] ; nginx test/golden/access.yaml
denylist-source-range ; ; 10.0.0.0/8 ; deny=["10.0.0.0/8"] ; home ; annotation-invalid ; allowlist-source-range=10.1.0.0/16 ; allow=["10.1.0.0/16"] ; nginx test/golden/access.yaml
satisfy ; allowlist-source-range=10.0.0.0/8 ; any ; any-access ; some ; annotation-invalid ; auth-type=basic & auth-secret=users ; any=true ; nginx test/golden/authentication.yaml
auth-type ; auth-secret=users ; basic ; basic-auth ; strong ; annotation-invalid ; satisfy=any & allowlist-source-range=10.0.0.0/8 ; any=true ; nginx test/policies/basic-auth.test.ts
auth-secret ; auth-type=basic ; users ; basic-auth ; none ; reference-secret-missing ; auth-secret-type=auth-map ; basic-auth ; nginx test/policies/basic-auth.test.ts
auth-secret-type ; auth-type=basic & auth-secret=users ; auth-map ; basic-auth ; auth-list ; annotation-invalid ; auth-realm=r ; realm="r" ; test/policies/basic-auth.test.ts
auth-realm ; auth-type=basic & auth-secret=users ; Staff ; realm="Staff" ; a\u0001b ; annotation-invalid ; auth-secret-type=auth-map ; realm="Staff" ; nginx
enable-global-auth ; ; false ; !external-auth ; maybe ; annotation-invalid ; auth-url=http://192.0.2.1/check ; external-auth ; test/policies/global-auth.test.ts
auth-url ; ; http://192.0.2.1/check ; external-auth ; check ; annotation-invalid ; auth-type=basic & auth-secret=users ; external-auth ; nginx test/policies/external-auth.test.ts
auth-method ; auth-url=http://192.0.2.1/check ; POST ; method="POST" ; P ST ; annotation-invalid ; auth-signin=https://login.example ; method="POST" ; test/policies/external-auth.test.ts#method
auth-signin ; auth-url=http://192.0.2.1/check ; https://login.example/start ; login.example ; login ; annotation-invalid ; auth-signin-redirect-param=back ; signInParameter="back" ; nginx test/policies/external-auth.test.ts#signIn
auth-signin-redirect-param ; auth-url=http://192.0.2.1/check ; back ; signInParameter="back" ; a b ; annotation-invalid ; auth-signin=https://login.example ; login.example ; test/policies/external-auth.test.ts
auth-response-headers ; auth-url=http://192.0.2.1/check ; X-User ; responseFields=["X-User"] ; X User ; annotation-invalid ; auth-method=HEAD ; responseFields=["X-User"] ; nginx test/policies/external-auth.test.ts
auth-request-redirect ; auth-url=http://192.0.2.1/check ; https://a.example$request_uri ; redirect=[{"text":"https://a.example"} ; $nothing ; annotation-invalid ; auth-signin=https://login.example ; login.example ; test/policies/external-auth.test.ts
auth-proxy-set-headers ; auth-url=http://192.0.2.1/check ; shop/fields ; "X-Custom" ; shop/none ; reference-configmap-missing ; auth-snippet=proxy_set_header X-Tenant $host; ; "X-Tenant" ; test/policies/external-auth.test.ts
auth-cache-key ; auth-url=http://192.0.2.1/check ; $remote_user ; "variable":"remote_user" ; $nothing ; annotation-invalid ; auth-cache-duration=200 1m ; "ms":60000 ; test/policies/external-auth.test.ts#cache
auth-cache-duration ; auth-url=http://192.0.2.1/check & auth-cache-key=$host ; 200 1m ; "ms":60000 ; 200 ever ; annotation-invalid ; auth-signin=https://login.example ; "ms":60000 ; test/golden/authentication.yaml
auth-always-set-cookie ; auth-url=http://192.0.2.1/check ; true ; alwaysSetCookie=true ; so ; annotation-invalid ; auth-signin=https://login.example ; alwaysSetCookie=true ; test/policies/external-auth.test.ts
rewrite-target ; ; /api/$1 ; rewrite pattern ; /$nothing ; annotation-invalid ; x-forwarded-prefix=/p ; prefix="/p" ; nginx test/policies/rewrite.test.ts
use-regex ; ; true ; regex / ; so ; annotation-invalid ; rewrite-target=/x ; rewrite pattern ; nginx test/golden/rewrites.yaml
x-forwarded-prefix ; rewrite-target=/x ; /shop ; prefix="/shop" ; a\u0001b ; annotation-invalid ; use-regex=true ; prefix="/shop" ; nginx test/policies/rewrite.test.ts
upstream-vhost ; ; in.example ; upstream-host ; a b ; annotation-invalid ; rewrite-target=/x ; upstream-host ; nginx test/policies/rewrite.test.ts
proxy-redirect-from ; proxy-redirect-to=https://out.example/ ; http://in.example/ ; from="http://in.example/" ; ~in ; annotation-invalid ; proxy-cookie-path=/a /b ; "from":"/a" ; nginx test/policies/fields.test.ts#Location
proxy-redirect-to ; proxy-redirect-from=http://in.example/ ; https://out.example/ ; {"text":"https://out.example/"} ; ~out ; annotation-invalid ; headgate.dev/proxy-redirect-to=off ; !response-location ; nginx test/policies/fields.test.ts#Location
proxy-cookie-domain ; ; in.example out.example ; "to":"out.example" ; in ; annotation-invalid ; proxy-cookie-path=/a /b ; "to":"/b" ; nginx test/policies/fields.test.ts#cookie
proxy-cookie-path ; ; /one/ / ; "from":"/one/" ; one ; annotation-invalid ; configuration-snippet=proxy_cookie_path /two/ /; ; "from":"/two/" ; nginx test/policies/fields.test.ts#cookie
affinity-canary-behavior ; canary=true & canary-weight=20 ; legacy ; = ; often ; annotation-invalid ; headgate.dev/affinity-canary-behavior=sticky ; "weight":20 ; test/golden/canaries.yaml
connection-proxy-header ; ; close ; connection-close ; a b; ; annotation-invalid ; proxy-http-version=1.0 ; http1.0 ; test/proxy/connection-close.test.ts
limit-rate ; ; 100 ; bytesPerSecond=102400 ; fast ; annotation-invalid ; configuration-snippet=limit_rate 50k; ; bytesPerSecond=51200 ; test/proxy/limit-rate.test.ts
limit-rate-after ; limit-rate=100 ; 50 ; bytesFirst=51200 ; some ; annotation-invalid ; headgate.dev/limit-rate-after=1 ; bytesFirst=1024 ; test/proxy/limit-rate.test.ts
ssl-passthrough ; ; true ; tls-passthrough ; so ; annotation-invalid ; enable-cors=true ; tls-passthrough ; test/compile/streams.test.ts
opentelemetry-operation-name ; enable-opentelemetry=true ; HTTP $host ; "variable":"host" ; $nothing ; annotation-invalid ; opentelemetry-trust-incoming-span=false ; trust=false parentBased=true ratio=1 spans=false spanName=[{"text":"HTTP "},{"variable":"host"}] ; test/policies/trace-spans.test.ts
opentelemetry-trust-incoming-span ; enable-opentelemetry=true ; false ; trust=false ; so ; annotation-invalid ; opentelemetry-operation-name=x ; trust=false ; test/policies/trace-context.test.ts#trust
custom-http-errors ; default-backend=sorry ; 404,503 ; answered 404 503 ; 200 ; annotation-invalid ; disable-proxy-intercept-errors=true ; of our own ; test/golden/error-pages.yaml
disable-proxy-intercept-errors ; default-backend=sorry & custom-http-errors=404 ; true ; of our own ; never ; annotation-invalid ; custom-http-errors=503 ; answered 503 of our own ; test/golden/error-pages.yaml
mirror-target ; ; http://192.0.2.1/m$request_uri ; mirror backend ; x y ; annotation-invalid ; rewrite-target=/x ; mirror backend ; test/proxy/mirror.test.ts
mirror-request-body ; mirror-target=http://192.0.2.1/ ; off ; body=false ; none ; annotation-invalid ; mirror-host=m.example ; host=[{"text":"m.example"}] ; test/proxy/mirror.test.ts
mirror-host ; mirror-target=http://192.0.2.1/ ; m.example ; host=[{"text":"m.example"}] ; a b ; annotation-invalid ; mirror-request-body=off ; body=false ; test/proxy/mirror.test.ts
configuration-snippet ; ; more_set_headers "X-A: 1"; ; snippet-answer ; lua on; ; annotation-refused ; enable-cors=true ; snippet-answer ; test/snippets/serve.test.ts test/snippets/corpus.ts#more_set_headers
server-snippet ; ; return 301 https://b.example; ; server-snippet ; root /; ; annotation-refused ; configuration-snippet=add_header X-A 1; ; snippet-answer ; test/snippets/serve.test.ts test/snippets/corpus.ts
auth-snippet ; auth-url=http://192.0.2.1/check ; proxy_set_header X-Tenant $host; ; "X-Tenant" ; return 200; ; annotation-refused ; auth-proxy-set-headers=shop/fields ; "X-Tenant" ; test/snippets/refused-corpus.ts
`

const lua = 'ingress-nginx decides it in Lua of its own, and no directive of nginx says it'
const cookies =
  "the cookie is made and read by ingress-nginx's Lua balancer; nginx's own sticky is in its paid edition"

/** Why a key is not among the comparisons with nginx. */
export const notCompared: Readonly<Record<string, string>> = {
  'upstream-hash-by-subset': lua,
  'upstream-hash-by-subset-size': lua,
  canary: lua,
  'canary-by-header': lua,
  'canary-by-header-value': lua,
  'canary-by-header-pattern': lua,
  'canary-by-cookie': lua,
  'canary-weight': lua,
  'canary-weight-total': lua,
  'affinity-canary-behavior': lua,
  affinity: cookies,
  'affinity-mode': cookies,
  'session-cookie-name': cookies,
  'session-cookie-path': cookies,
  'session-cookie-domain': cookies,
  'session-cookie-samesite': cookies,
  'session-cookie-conditional-samesite-none': cookies,
  'session-cookie-secure': cookies,
  'session-cookie-expires': cookies,
  'session-cookie-max-age': cookies,
  'session-cookie-change-on-failure': cookies,
  'ssl-passthrough': "ingress-nginx's own TLS router does it, in Go, in front of nginx",
  'opentelemetry-operation-name': 'Debian has no package of the OpenTelemetry module',
  'opentelemetry-trust-incoming-span': 'Debian has no package of the OpenTelemetry module',
}

/** One line of the table, taken apart. */
export interface Claim {
  readonly key: string
  readonly beside: string
  readonly value: string
  readonly effect: string
  readonly badValue: string
  readonly code: string
  readonly others: string
  readonly effectThen: string
  /** Files, each with the text that it must hold. */
  readonly tests: readonly (readonly [file: string, needle: string])[]
}

export const claims: readonly Claim[] = lines
  .trim()
  .split('\n')
  .map((line) => {
    const [key = '', beside = '', value = '', effect = '', badValue = '', ...rest] = line
      .split(/(?<=\s);(?=\s)/)
      .map((cell) => cell.trim().replaceAll(String.raw`\u0001`, '\u0001'))
    const [code = '', others = '', effectThen = '', files = ''] = rest
    const tests = files
      .split(' ')
      .filter(isFile)
      .map((named): readonly [string, string] => {
        const [file = '', needle = key] = named.split('#')
        return [file, needle]
      })
    return { key, beside, value, effect, badValue, code, others, effectThen, tests }
  })

/** `nginx` in that column reminds of the comparisons. */
function isFile(named: string): boolean {
  return named !== 'nginx' && named !== ''
}
