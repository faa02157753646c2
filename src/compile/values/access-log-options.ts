import { optionTable } from '#src/annotations/schema.ts'
import type { ValuesOf } from '#src/annotations/schema.ts'
import { bool } from '#src/annotations/types.ts'
import { logFormat, streamLogFormat } from '#src/policies/log-variables.ts'
import type { LogPart } from '#src/policies/log-variables.ts'
import { mapValues } from '#src/policies/map-values.ts'
import { defaultGlobalOptions } from '#src/table/defaults.ts'
import type { GlobalOptions } from '#src/table/table.ts'

const defaults = defaultGlobalOptions

/** Keys of the ConfigMap about the lines of the access log. */
export const accessLogOptions = optionTable({
  'log-format-upstream': {
    type: logFormat,
    default: defaults.logFormat,
    doc: "The lines of the access log, in nginx's notation, in place of JSON lines. Of $request_length, a head of HTTP/2 counts as it would be in HTTP/1.1; the bytes of answers are those of content, without the framing of chunks. Of several tries each is told, with commas between.",
    example: '$remote_addr [$time_local] "$request" $status $body_bytes_sent $request_time',
    compatibility: 'same',
  },
  'log-format-stream': {
    type: streamLogFormat,
    default: defaults.streamLogFormat,
    doc: "The lines of TCP connections, in nginx's notation, in place of JSON lines. The status is 502 where no endpoint could be connected to, else 200.",
    example:
      '[$remote_addr] [$time_local] $protocol $status $bytes_sent $bytes_received $session_time',
    compatibility: 'same',
  },
  'log-format-escape-json': {
    type: bool,
    default: false,
    doc: 'Variables in log-format-upstream are escaped for JSON, and those without a value are empty.',
    example: 'true',
    compatibility: 'same',
  },
  'log-format-escape-none': {
    type: bool,
    default: false,
    doc: 'Variables in log-format-upstream are not escaped, except for bytes that are no printable ASCII.',
    example: 'true',
    compatibility: 'same',
  },
  'skip-access-log-urls': {
    type: mapValues,
    default: defaults.skipAccessLogUrls,
    doc: 'Targets (path and query, as sent, in any case) whose requests are not logged.',
    example: '/healthz,~^/ping',
    compatibility: 'same',
  },
})

/** How variables in the lines are escaped. */
export function logEscapeOf(values: ValuesOf<typeof accessLogOptions>): GlobalOptions['logEscape'] {
  if (values['log-format-escape-json']) return 'json'
  return values['log-format-escape-none'] ? 'none' : 'default'
}

/** ingress-nginx's own (log-format-upstream), for which readers of its log are made. */
const textFormat = logFormat.parse(
  '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" $request_length $request_time [$proxy_upstream_name] [$proxy_alternative_upstream_name] $upstream_addr $upstream_response_length $upstream_response_time $upstream_status $req_id',
)

/** The lines that are asked for; empty: JSON. */
export function logFormatOf(
  { 'log-format-upstream': asked }: { readonly 'log-format-upstream': readonly LogPart[] },
  form: 'json' | 'text',
): readonly LogPart[] {
  return asked.length === 0 && form === 'text' ? (textFormat ?? asked) : asked
}
