import { snippetCorpus } from '#test/snippets/corpus.ts'
import type { SnippetCase } from '#test/snippets/snippet-case.ts'
import type { Comparison, Group } from '../comparison.ts'

/** The corpus of snippets, as far as plain nginx has their directives: the very same text. */
function comparisonOf({
  name,
  key = 'configuration-snippet',
  text,
  requests,
}: SnippetCase): Comparison {
  const annotations = { [key]: text }
  const compared = (requests ?? [])
    .filter(({ client, scheme }) => client === undefined && scheme === undefined)
    .map(({ method = 'GET', target = '/', fields = {}, upstream = 200 }) => {
      return { method, target, fields, upstream: { status: upstream } }
    })
  return key === 'server-snippet'
    ? { key, name, annotations, server: text, requests: compared }
    : { key, name, annotations, location: text, requests: compared }
}

export const snippets: Group = {
  name: 'snippets',
  comparisons: snippetCorpus.filter(({ plain }) => plain === true).map(comparisonOf),
}
