import type { ValueType } from '#src/annotations/types.ts'
import { isVariable, variableReader, variableValue } from './variables.ts'
import type { VariableSource } from './variables.ts'

/** What ingress-nginx has as a variable, and what is the same for every request of a rule. */
export const constants = [
  'namespace',
  'ingress_name',
  'service_name',
  'service_port',
  'location_path',
  'server_name',
] as const

export type Constant = (typeof constants)[number]

const constantNames: ReadonlySet<string> = new Set(constants)

/** Whether a name, without the `$`, is one that the compiler puts its text in place of. */
export function isConstant(name: string): name is Constant {
  return constantNames.has(name)
}

/**
 * Text, a variable of the request, a group of the path's regular expression, or what the compiler
 * replaces by text.
 */
export type TemplatePart =
  | { readonly text: string }
  | { readonly variable: string }
  | { readonly group: number }
  | { readonly constant: Constant }

/** Text with values of the request in it. Plain data. */
export type Template = readonly TemplatePart[]

type Reading = { readonly template: Template } | { readonly problem: string }

/**
 * Reads nginx's notation: `$name` and `${name}` out of the closed set of variables and, where `groups`
 * says so, `$1` to `$9`. A variable that is not known is a problem, never text that is passed on.
 */
export function readTemplate(text: string, groups: boolean): Reading {
  const template: TemplatePart[] = []
  for (const [token, braced, digit, plain] of text.matchAll(
    /\$\{(\w+)\}|\$(\d)|\$(\w+)|\$|[^$]+/g,
  )) {
    const name = (braced ?? digit ?? plain ?? '').toLowerCase()
    if (!token.startsWith('$')) template.push({ text: token })
    else if (name === '') return { problem: 'a $ must begin a variable' }
    else if (/^[1-9]$/.test(name) && groups) template.push({ group: Number(name) })
    else if (isConstant(name)) template.push({ constant: name })
    else if (isVariable(name)) template.push({ variable: name })
    else return { problem: `$${name} is not a variable that is known here` }
  }
  return { template }
}

/** The text as a user writes it. */
export function formatTemplate(template: Template): string {
  return template
    .map((part) => {
      if ('text' in part) return part.text
      if ('group' in part) return `$${part.group}`
      return `\${${'constant' in part ? part.constant : part.variable}}`
    })
    .join('')
}

/** The text for one request. Groups that are not there count as ''. */
export function renderTemplate(
  template: Template,
  source: VariableSource,
  groups: readonly string[] = [],
): string {
  let text = ''
  for (const part of template) {
    if ('text' in part) text += part.text
    else if ('group' in part) text += groups[part.group] ?? ''
    else if ('constant' in part) continue
    else text += variableValue(source, part.variable)
  }
  return text
}

/** The text of a template that is the same for every request; undefined: there is none. */
export function staticText(template: Template): string | undefined {
  let text = ''
  for (const part of template) {
    if (!('text' in part)) return undefined
    text += part.text
  }
  return text
}

/** `renderTemplate` for one template without groups, its variables looked up once. */
export function linkTemplate(template: Template): (source: VariableSource) => string {
  const parts = template.map((part): ((source: VariableSource) => string) => {
    if ('variable' in part) return variableReader(part.variable)
    const text = 'text' in part ? part.text : ''
    return () => text
  })
  const [only] = parts
  if (only !== undefined && parts.length === 1) return only
  return (source) => {
    let text = ''
    for (const part of parts) text += part(source)
    return text
  }
}

/** A value of this notation. `shape` is what its text must look like as a whole. */
export function templateType(
  expects: string,
  { shape, groups = false }: { readonly shape: RegExp; readonly groups?: boolean },
): ValueType<Template> {
  return {
    expects,
    schema: { pattern: shape.source },
    parse(text) {
      if (!shape.test(text)) return undefined
      const reading = readTemplate(text, groups)
      return 'template' in reading ? reading.template : undefined
    },
    format: formatTemplate,
    explain(text) {
      const reading = readTemplate(text, groups)
      return 'problem' in reading ? reading.problem : undefined
    },
  }
}

/** Characters of a header field's value; beyond ASCII only bytes may follow, so none here. */
export const visibleText = /^[\t -~]*$/
