import { annotationTable, optionTable, quote } from '#src/annotations/schema.ts'
import type { AnyAnnotations, ReportField, SettingText, ValuesOf } from '#src/annotations/schema.ts'
import type { ValueType } from '#src/annotations/types.ts'
import type { Checked } from '#src/policies/global-auth.ts'
import { policyList } from '#src/policies/index.ts'
import type { LineProblem } from '#src/snippets/directives.ts'
import { emptySnippet, snippetPlaces, translate } from '#src/snippets/translate.ts'
import type { Snippet, SnippetKey } from '#src/snippets/translate.ts'
import { protocolAnnotations } from './backend-protocol.ts'
import { routeAnnotations } from './route-settings.ts'

/** Annotations that a directive may stand for. */
const presets: AnyAnnotations = Object.assign(
  {},
  routeAnnotations,
  protocolAnnotations,
  ...policyList.map(([, { annotations }]) => annotations),
)

function presetProblem({ key, text }: { key: string; text: string }): string | undefined {
  const row = Object.hasOwn(presets, key) ? presets[key] : undefined
  if (row === undefined) return `cannot be translated: there is no annotation ${key}`
  const reason = row.refused?.[text.toLowerCase()]
  if (reason !== undefined) return `${quote(text)} is refused: ${reason}`
  if (row.type.parse(text) !== undefined) return undefined
  const why = row.type.explain?.(text)
  return `must be ${row.type.expects}, got ${quote(text)}${why === undefined ? '' : ` (${why})`}`
}

/** Lines named in one finding; more are counted. */
const shownLines = 12

/** Lines as one sentence. */
export function lineList(lines: readonly LineProblem[]): string {
  const shown = lines.slice(0, shownLines).map(({ line, message }) => `line ${line}: ${message}`)
  const more = lines.length - shown.length
  return [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join('; ')
}

const expects = "nginx's configuration, of directives that can be translated"

function snippetType(key: SnippetKey): ValueType<Snippet> {
  return {
    expects,
    schema: {},
    parse(text) {
      const translation = translate(key, text, presetProblem)
      return 'snippet' in translation ? translation.snippet : undefined
    },
    format: ({ text }) => text,
    explain(text) {
      const translation = translate(key, text, presetProblem)
      return 'problems' in translation ? lineList(translation.problems) : undefined
    },
  }
}

const never =
  'Never executed: each line is translated to a policy, or named as the line that cannot be, and then the Ingress is not served. Needs allow-snippet-annotations and annotations-risk-level Critical. The directives are listed below.'

/** nginx's configuration as annotations. */
export const snippetAnnotations = annotationTable<Record<SnippetKey, Snippet>>({
  'configuration-snippet': {
    type: snippetType('configuration-snippet'),
    default: emptySnippet,
    doc: `Configuration in the locations of the Ingress. ${never}`,
    example: 'more_set_headers "X-Frame-Options: DENY";',
    risk: 'critical',
    scope: 'path',
    compatibility: 'translated',
  },
  'server-snippet': {
    type: snippetType('server-snippet'),
    default: emptySnippet,
    doc: `Configuration in the servers of the Ingress: it holds for all paths of its hosts, whatever Ingress they stand in; the oldest Ingress of a host wins. ${never}`,
    example: 'location = /robots.txt { return 200 "User-agent: *\\nDisallow: /\\n"; }',
    risk: 'critical',
    scope: 'host',
    compatibility: 'translated',
  },
  'auth-snippet': {
    type: snippetType('auth-snippet'),
    default: emptySnippet,
    doc: `Configuration in the location of external authentication. ${never}`,
    example: 'proxy_set_header X-Tenant $http_x_tenant;',
    risk: 'critical',
    scope: 'path',
    compatibility: 'translated',
  },
})

/** Snippets of the ConfigMap: what is wrong with one must not be left out where it guards routes. */
export const snippetOptions = optionTable<{ 'global-auth-snippet': Checked<Snippet> }>({
  'global-auth-snippet': {
    type: {
      expects,
      schema: {},
      parse(text) {
        const translation = translate('auth-snippet', text, presetProblem)
        if ('snippet' in translation) return { value: translation.snippet }
        return { problem: `cannot be translated: ${lineList(translation.problems)}` }
      },
      format: (read) => ('value' in read ? read.value.text : ''),
    },
    default: { value: emptySnippet },
    doc: 'As auth-snippet, for global-auth-url. With a line that cannot be translated the routes that it holds for answer 503.',
    example: 'proxy_set_header X-Tenant $http_x_tenant;',
    compatibility: 'translated',
  },
})

export type SnippetOptions = ValuesOf<typeof snippetOptions>

export type SnippetValues = Readonly<Record<SnippetKey, Snippet>>

/** The snippets of an Ingress, and what else it says through them. */
export interface ReadSnippets {
  readonly values: SnippetValues
  /** The texts of the Ingress, with those of annotations that its snippets stand for. */
  readonly texts: ReadonlyMap<string, SettingText>
  /** The Ingress must not be served. */
  readonly dropped: boolean
}

const none: SnippetValues = {
  'configuration-snippet': emptySnippet,
  'server-snippet': emptySnippet,
  'auth-snippet': emptySnippet,
}

/** Reads the snippets of an Ingress. Each that is not translated whole is reported, with its lines. */
export function readSnippets(
  texts: ReadonlyMap<string, SettingText>,
  allowed: boolean,
  report: ReportField,
): ReadSnippets {
  const keys = Object.keys(snippetPlaces) as SnippetKey[]
  const written = keys.filter((key) => texts.has(key))
  if (written.length === 0) return { values: none, texts, dropped: false }
  const merged = new Map(texts)
  const values = { ...none }
  let dropped = false
  for (const key of written) {
    const { key: field, text } = texts.get(key) as SettingText
    const { type } = snippetAnnotations[key]
    const snippet = allowed ? type.parse(text) : undefined
    if (snippet === undefined) {
      dropped = true
      if (allowed)
        report('annotation-refused', field, `cannot be translated: ${type.explain?.(text) ?? ''}`)
      else report('annotation-forbidden', field, switchedOff)
      continue
    }
    values[key] = snippet
    for (const preset of snippet.presets) merged.set(preset.key, { key: field, text: preset.text })
    report('snippet-translated', field, verdictOf(snippet))
  }
  return { values, texts: merged, dropped }
}

const switchedOff =
  'is a snippet, and allow-snippet-annotations of the ConfigMap is off, as it is by default'

function verdictOf({ directives, notes }: Snippet): string {
  const done = `${directives} ${directives === 1 ? 'directive is' : 'directives are'} translated`
  return notes.length === 0 ? done : `${done}; without effect: ${lineList(notes)}`
}
