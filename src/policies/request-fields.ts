import { bool } from '#src/annotations/types.ts'
import { isAuthority } from '#src/exchange/authority.ts'
import { linkFieldEdits } from './field-edits.ts'
import type { FieldTemplate } from './field-edits.ts'
import { objectReference } from './field-lists.ts'
import { policy } from './policy-definition.ts'
import type { Reference } from './policy-definition.ts'
import { CONTINUE } from './policy.ts'
import type { PolicyExchange } from './policy.ts'
import { templateFields } from './response-fields.ts'
import type { TemplateFieldsConfig } from './response-fields.ts'
import { renderTemplate } from './template.ts'

/**
 * Sets a field of the request to the upstream, in place of any that is there; '' takes it away. Host is
 * changed where the text is one: a second Host line must never come of it.
 */
export function setRequestField(exchange: PolicyExchange, name: string, text: string): void {
  const { fields } = exchange.request
  if (name.toLowerCase() === 'host') {
    if (isAuthority(text)) exchange.setAuthority(text)
  } else if (text === '') fields.remove(name)
  else fields.set(name, text)
}

/** Request fields that upstreams get beside those that they always get. */
export interface RequestFieldsConfig extends TemplateFieldsConfig {
  readonly originalUri: boolean
}

/** Request fields of every route, out of a ConfigMap that the ConfigMap names. */
export const requestFields = policy({
  everywhere: true,
  annotations: {},
  options: {
    'proxy-set-headers': {
      type: objectReference,
      default: '',
      doc: 'A ConfigMap (namespace/name) whose entries are set as fields of the requests to upstreams, in place of what the proxy sends. Values may hold variables; an empty one takes the field away.',
      example: 'headgate/request-fields',
      compatibility: 'same',
    },
    'proxy-add-original-uri-header': {
      type: bool,
      default: false,
      doc: 'Sends X-Original-URI, the target as the client sent it, to upstreams.',
      example: 'true',
      compatibility: 'same',
    },
  },

  references: (_values, options): readonly Reference[] => [
    {
      kind: 'ConfigMap',
      key: 'proxy-set-headers',
      text: options['proxy-set-headers'],
      by: 'option',
    },
  ],

  configure(_values, { data, options, report }): RequestFieldsConfig | undefined {
    const fields = templateFields(data('proxy-set-headers'), (message) => {
      report('proxy-set-headers', message)
    })
    const originalUri = options['proxy-add-original-uri-header']
    return fields.length === 0 && !originalUri ? undefined : { fields, originalUri }
  },

  start({ fields: list, originalUri }) {
    const hosts = list.filter(isHost)
    const edit = linkFieldEdits(list.filter((field) => !isHost(field)))
    return {
      requestHead(exchange) {
        const { request, originalTarget } = exchange
        if (originalUri) request.fields.set('X-Original-URI', originalTarget || request.target)
        edit(request.fields, exchange)
        // Last, so that $http_host in the others is the client's.
        for (const { name, value } of hosts) {
          setRequestField(exchange, name, renderTemplate(value, exchange))
        }
        return CONTINUE
      },
    }
  },
})

function isHost({ name }: FieldTemplate): boolean {
  return name.toLowerCase() === 'host'
}
