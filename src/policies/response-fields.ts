import { FieldChange } from '#src/exchange/field-change.ts'
import { fieldNameList, fieldProblem, fieldValue, objectReference } from './field-lists.ts'
import { policy } from './policy-definition.ts'
import type { Reference } from './policy-definition.ts'
import { CONTINUE } from './policy.ts'
import { knownChange, linkFieldEdits } from './field-edits.ts'
import type { FieldTemplate } from './field-edits.ts'
import { readTemplate } from './template.ts'
import type { Template } from './template.ts'

/** Fields that every answer of a rule carries. Flat [name, value, …]. */
export interface CustomHeadersConfig {
  readonly fields: readonly string[]
}

/** Response fields out of a ConfigMap that the Ingress names. Values stand for themselves. */
export const customHeaders = policy({
  annotations: {
    'custom-headers': {
      type: objectReference,
      default: '',
      doc: 'A ConfigMap whose entries are set as fields on every answer. Names must be in global-allowed-response-headers; a ConfigMap that is missing or holds another name closes the routes (503).',
      example: 'shop/extra-fields',
      risk: 'medium',
      scope: 'path',
      compatibility: 'same',
      closes: true,
    },
  },
  options: {
    'global-allowed-response-headers': {
      type: fieldNameList,
      default: [],
      doc: 'Names that the ConfigMaps of custom-headers may use.',
      example: 'X-Frame-Options,Cache-Control',
      compatibility: 'same',
    },
  },

  references: (values): readonly Reference[] => [
    { kind: 'ConfigMap', key: 'custom-headers', text: values['custom-headers'], by: 'annotation' },
  ],

  configure(_values, { options, data, deny }): CustomHeadersConfig | undefined {
    const given = data('custom-headers')
    if (given === undefined) return undefined
    const allowed = new Set(
      options['global-allowed-response-headers'].map((name) => name.toLowerCase()),
    )
    const fields: string[] = []
    for (const [name, text] of Object.entries(given)) {
      const problem = fieldProblem(name, fieldValue(text))
      if (problem !== undefined) deny('custom-headers', problem)
      else if (allowed.has(name.toLowerCase())) fields.push(name, fieldValue(text))
      else deny('custom-headers', `${name} is not in global-allowed-response-headers`)
    }
    return fields.length === 0 ? undefined : { fields }
  },

  start: ({ fields }) => ({ responseChange: FieldChange.setting(fields) }),
})

/** Fields with values of the request in them. */
export interface TemplateFieldsConfig {
  readonly fields: readonly FieldTemplate[]
}

/** Response fields of every route, out of a ConfigMap that the ConfigMap names. */
export const addHeaders = policy({
  everywhere: true,
  annotations: {},
  options: {
    'add-headers': {
      type: objectReference,
      default: '',
      doc: 'A ConfigMap (namespace/name) whose entries are set as fields on every answer. Values may hold variables; an empty one takes the field away.',
      example: 'headgate/response-fields',
      compatibility: 'same',
    },
  },

  references: (_values, options): readonly Reference[] => [
    { kind: 'ConfigMap', key: 'add-headers', text: options['add-headers'], by: 'option' },
  ],

  configure(_values, { data, report }): TemplateFieldsConfig | undefined {
    const fields = templateFields(data('add-headers'), (message) => {
      report('add-headers', message)
    })
    return fields.length === 0 ? undefined : { fields }
  },

  start({ fields: list }) {
    const known = knownChange(list)
    if (known !== undefined) return { responseChange: known }
    const edit = linkFieldEdits(list)
    return {
      responseHead(exchange) {
        if (exchange.response !== undefined) edit(exchange.response.fields, exchange)
        return CONTINUE
      },
    }
  },
})

/** The entries of a ConfigMap as fields; what cannot be one is reported and left out. */
export function templateFields(
  data: Readonly<Record<string, string>> | undefined,
  report: (message: string) => void,
): TemplateFieldsConfig['fields'] {
  const fields: { name: string; value: Template }[] = []
  for (const [name, text] of Object.entries(data ?? {})) {
    const value = readTemplate(fieldValue(text), false)
    const problem = fieldProblem(name, text.trim())
    if (problem !== undefined) report(`${problem}; it is left out`)
    else if ('problem' in value) report(`${name}: ${value.problem}; it is left out`)
    else fields.push({ name, value: value.template })
  }
  return fields
}

/** Fields of upstreams that clients do not get to see. */
export interface HideHeadersConfig {
  readonly names: readonly string[]
}

/** Takes fields out of the answers of upstreams. */
export const hideHeaders = policy({
  everywhere: true,
  annotations: {},
  options: {
    'hide-headers': {
      type: fieldNameList,
      default: [],
      doc: 'Fields that are taken out of the answers of upstreams.',
      example: 'X-Powered-By,X-Internal',
      compatibility: 'same',
    },
  },

  configure(_values, { options, snippet, serverSnippet }): HideHeadersConfig | undefined {
    const hidden = snippet?.hidden ?? []
    const more = hidden.length > 0 ? hidden : (serverSnippet?.hidden ?? [])
    const names = [...options['hide-headers'], ...more]
    return names.length === 0 ? undefined : { names }
  },

  start: ({ names }) => ({ responseChange: FieldChange.removing(names) }),
})
