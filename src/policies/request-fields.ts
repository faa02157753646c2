import { bool } from '#src/annotations/types.ts'
import { objectReference } from './field-lists.ts'
import { policy } from './policy-definition.ts'
import type { Reference } from './policy-definition.ts'
import { CONTINUE } from './policy.ts'
import { templateFields } from './response-fields.ts'
import type { TemplateFieldsConfig } from './response-fields.ts'
import { renderTemplate } from './template.ts'

/** Request fields that upstreams get beside those that they always get. */
export interface RequestFieldsConfig extends TemplateFieldsConfig {
  readonly originalUri: boolean
}

/** Request fields of every route, out of a ConfigMap that the ConfigMap names. */
export const requestFields = policy({
  annotations: {},
  options: {
    'proxy-set-headers': {
      type: objectReference,
      default: '',
      doc: 'A ConfigMap (namespace/name) whose entries are set as fields of the requests to upstreams. Values may hold variables; an empty one takes the field away.',
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
    return {
      requestHead(exchange) {
        const { request, originalTarget } = exchange
        if (originalUri) request.fields.set('X-Original-URI', originalTarget || request.target)
        for (const { name, value } of list) {
          const text = renderTemplate(value, exchange)
          if (name.toLowerCase() === 'host') {
            if (/^[-\w.:[\]]+$/.test(text)) exchange.setAuthority(text)
          } else if (text === '') request.fields.remove(name)
          else request.fields.set(name, text)
        }
        return CONTINUE
      },
    }
  },
})
