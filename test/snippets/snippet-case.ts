import type { SnippetKey } from '#src/snippets/translate.ts'

/** A request to a host with the snippet, and what comes of it. */
export interface SnippetRequest {
  readonly method?: string
  readonly target?: string
  readonly fields?: Readonly<Record<string, string>>
  readonly scheme?: 'http' | 'https'
  readonly client?: string
  /** Status of the upstream's answer; 200 without it. */
  readonly upstream?: number
  readonly status?: number
  readonly location?: string
  readonly body?: string
  /** Fields of the answer, '' for one that must be absent. */
  readonly answer?: Readonly<Record<string, string>>
  /** Target and fields as the upstream sees them. */
  readonly sent?: string
  readonly sentFields?: Readonly<Record<string, string>>
}

/** A snippet as clusters have it, and its fate. */
export interface SnippetCase {
  readonly name: string
  readonly key?: SnippetKey
  readonly text: string
  /** Lines that cannot be translated; without them it is translated whole. */
  readonly refused?: readonly number[]
  /** Lines without effect. */
  readonly unused?: readonly number[]
  readonly requests?: readonly SnippetRequest[]
  /** Plain nginx of Debian has all of its directives, so that the comparison runs it. */
  readonly plain?: true
  /** Fields that nginx has otherwise, and why. */
  readonly apart?: { readonly fields: readonly string[]; readonly why: string }
  /** With this module of Debian's nginx has them. */
  readonly module?: 'headers_more_filter' | 'brotli_filter'
}
