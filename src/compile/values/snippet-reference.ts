import { directiveTable } from '#src/snippets/translate.ts'
import type { DirectiveRow } from '#src/snippets/row.ts'

const places = {
  location: 'configuration',
  'location-if': 'if in configuration',
  server: 'server',
  'server-if': 'if in server',
  'server-location': 'location in server',
  'server-location-if': 'if in a location in server',
  auth: 'auth',
} as const

/** The directives of snippets for the reference page: what is made of each, and how many are of which kind. */
export function directiveLines(table: (rows: string[][]) => string[]): string[] {
  const translated = rowsOf('translated')
  const unused = rowsOf('unused')
  const refused = rowsOf('refused')
  return [
    '## Directives in snippets',
    '',
    `Of ${Object.keys(directiveTable).length} directives that are known ${translated.length} are translated and ${unused.length} need no effect here; ${refused.length} are refused with the`,
    'reason, as is every other. An Ingress with a line that is refused is not served, and the finding names each such line.',
    'Variables are those of the other annotations, those that `set` sets, and `$namespace`, `$ingress_name`, `$location_path`,',
    '`$server_name`; of answers, once their heads are there, `$status`, `$upstream_status`, `$upstream_addr` (of the last try),',
    '`$upstream_http_*`, `$sent_http_*`, `$request_time`. Regular expressions are RE2: no lookaround, no back references, no groups with names.',
    '',
    ...table([
      ['directive', 'where', 'what becomes of it'],
      ...translated.map(([name, row]) => [code(name), shownPlaces(row), row.doc]),
    ]),
    '',
    `Without effect: ${unused.map(([name, { doc }]) => `${code(name)} (${doc})`).join(', ')}.`,
    '',
    `Refused: ${refused.map(([name, { doc }]) => `${code(name)} (${doc})`).join(', ')}.`,
    '',
  ]
}

function rowsOf(kind: DirectiveRow['kind']): [string, DirectiveRow][] {
  return Object.entries(directiveTable)
    .filter(([, row]) => row.kind === kind)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
}

function shownPlaces(row: DirectiveRow): string {
  return row.kind === 'translated' ? row.places.map((place) => places[place]).join(', ') : ''
}

function code(text: string): string {
  return `\`${text}\``
}
