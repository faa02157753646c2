import { ingressNginxAliases, ingressNginxPending } from '#src/annotations/ingress-nginx.ts'
import { ingressNginxPendingOptions } from '#src/annotations/ingress-nginx-options.ts'
import { ingressNginxOptionVerdicts } from '#src/annotations/ingress-nginx-option-verdicts.ts'
import type { OptionVerdict } from '#src/annotations/ingress-nginx-option-verdicts.ts'
import { ownPrefix } from '#src/annotations/annotated.ts'
import type { Annotation, Setting } from '#src/annotations/schema.ts'
import { annotationSchema, optionSchema } from './schema.ts'
import { directiveLines } from './snippet-reference.ts'

const compatiblePrefix = 'nginx.ingress.kubernetes.io'

/** ANNOTATIONS.md, whole, from the tables that the compiler itself reads. */
export function referencePage(): string {
  return `${[
    '# Annotations and options',
    '',
    '<!-- Generated: `npm run golden` writes this file from the schema in src/. -->',
    '',
    `Annotations are read under \`${compatiblePrefix}/\` (or another prefix: \`--annotations-prefix\`) and under`,
    `\`${ownPrefix}/\`, which wins. Keys marked *own* are read under \`${ownPrefix}/\` alone. They stand on the Ingress`,
    'unless the table says otherwise. A value that is not valid is reported, and the default holds.',
    '',
    '## Annotations',
    '',
    ...table(
      ['annotation', 'what it does', 'value', 'default', 'example', 'on', 'risk', 'ingress-nginx'],
      sorted(annotationSchema).map(([key, annotation]) => annotationRow(key, annotation)),
    ),
    '',
    'Other names: ' +
      Object.entries(ingressNginxAliases)
        .map(([alias, key]) => `\`${alias}\` is \`${key}\``)
        .join(', ') +
      '.',
    '',
    ...directiveLines(([head = [], ...rows]) => table(head, rows)),
    '## Options of the ConfigMap',
    '',
    'The ConfigMap is named by `--configmap`. A change is in force at once.',
    '',
    ...table(
      ['key', 'what it does', 'value', 'default', 'example', 'ingress-nginx'],
      sorted(optionSchema).map(([key, setting]) => optionRow(key, setting)),
    ),
    '',
    '## Annotations of ingress-nginx that are not supported yet',
    '',
    'Each is reported where it is used. *Closed*: the routes of the Ingress answer 503, because the key protects them.',
    '*Dropped*: the Ingress is not served. With all others the Ingress is served without them.',
    '',
    ...pendingList(),
    '',
    'What to use instead:',
    '',
    ...insteadList(),
    '',
    '## Options of ingress-nginx without effect',
    '',
    'What they set needs no setting here.',
    '',
    ...table(['key', 'why'], verdictRows('unused')),
    '',
    '## Options of ingress-nginx that are refused',
    '',
    'Each is an error where it asks for something else than what holds here.',
    '',
    ...table(['key', 'why, and what to use'], verdictRows('refused')),
    '',
    '## Options of ingress-nginx that are not supported yet',
    '',
    `${[...ingressNginxPendingOptions].toSorted().map(code).join(', ')}.`,
  ].join('\n')}\n`
}

/** The annotations as JSON Schema (draft 2020-12) of an object's metadata.annotations. */
export function annotationJsonSchema(prefix: string): object {
  const properties: Record<string, object> = {}
  for (const [key, annotation] of sorted(annotationSchema)) {
    const { type, doc, example, compatibility: kind } = annotation
    const described = { type: 'string', description: doc, examples: [example], ...type.schema }
    properties[`${ownPrefix}/${key}`] = described
    if (kind !== 'own') properties[`${prefix}/${key}`] = described
  }
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Headgate annotations',
    type: 'object',
    properties,
  }
}

/** The keys of the ConfigMap as JSON Schema (draft 2020-12) of its data; others are errors. */
export function optionJsonSchema(): object {
  const properties: Record<string, object> = {}
  for (const [key, { type, doc, example }] of sorted(optionSchema)) {
    properties[key] = { type: 'string', description: doc, examples: [example], ...type.schema }
  }
  for (const [key, { why, verdict }] of sorted(ingressNginxOptionVerdicts)) {
    properties[key] = { type: 'string', description: `${verdict}: ${why}`, deprecated: true }
  }
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Headgate options',
    type: 'object',
    properties,
    additionalProperties: false,
  }
}

function annotationRow(key: string, annotation: Annotation<unknown>): string[] {
  const { on, option, risk } = annotation
  const places = [...(on ?? ['Ingress']), ...(option === true ? ['ConfigMap'] : [])]
  return [code(key), ...columnsOf(annotation), places.join(', '), risk, compatibility(annotation)]
}

function optionRow(key: string, setting: Setting<unknown>): string[] {
  return [code(key), ...columnsOf(setting), compatibility(setting)]
}

function columnsOf({ doc, type, default: preset, example, refused }: Setting<unknown>): string[] {
  const refusals = Object.keys(refused ?? {}).map((text) => text.toUpperCase())
  const refusedText = refusals.length === 0 ? '' : `; refused for now: ${refusals.join(', ')}`
  const shown = type.format(preset)
  return [doc, `${type.expects}${refusedText}`, shown === '' ? 'unset' : code(shown), code(example)]
}

function compatibility({ compatibility: kind }: Setting<unknown>): string {
  if (typeof kind === 'string') return kind
  return 'differs' in kind ? `differs: ${kind.differs}` : `no effect: ${kind.unused}`
}

function insteadList(): string[] {
  const keys = new Map<string, string[]>()
  for (const [key, { instead }] of Object.entries(ingressNginxPending)) {
    if (instead !== undefined) keys.set(instead, [...(keys.get(instead) ?? []), code(key)])
  }
  return [...keys].map(([instead, list]) => `- ${list.join(', ')}: ${instead}.`)
}

function pendingList(): string[] {
  const groups = [
    ['Closed', 'close'],
    ['Dropped', 'drop'],
    ['Ignored', 'serve'],
  ] as const
  return groups.flatMap(([title, otherwise]) => {
    const keys = Object.entries(ingressNginxPending)
      .filter(([, pending]) => pending.otherwise === otherwise)
      .map(([key, { when }]) => (when === undefined ? code(key) : `${code(key)} (if \`${when}\`)`))
    return keys.length === 0 ? [] : [`- ${title}: ${keys.join(', ')}.`]
  })
}

function verdictRows(verdict: OptionVerdict['verdict']): string[][] {
  return sorted(ingressNginxOptionVerdicts)
    .filter(([, row]) => row.verdict === verdict)
    .map(([key, { why }]) => [code(key), why])
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [line(head), line(head.map(() => '---')), ...rows.map(line)]
}

function line(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

function sorted<Row>(rows: Readonly<Record<string, Row>>): [string, Row][] {
  return Object.entries(rows).toSorted(([a], [b]) => (a < b ? -1 : 1))
}

function code(text: string): string {
  return `\`${text}\``
}
