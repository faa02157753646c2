import { snippetCorpus } from '#test/snippets/corpus.ts'
import type { SnippetCase } from '#test/snippets/snippet-case.ts'
import type { Comparison, Group } from '../comparison.ts'

/** The corpus of snippets, as far as nginx of Debian has their directives: the very same text. */
function comparisonOf({
  name,
  key = 'configuration-snippet',
  text,
  module,
  apart,
  requests = [{}],
}: SnippetCase): Comparison {
  const annotations = { [key]: text }
  const more = apart === undefined ? {} : { apart }
  const modules = module === undefined ? [] : [module]
  const compared = requests
    .filter(({ client, scheme }) => client === undefined && scheme === undefined)
    .map(({ method = 'GET', target = '/', fields = {}, upstream = 200 }) => {
      return { method, target, fields, upstream: { status: upstream } }
    })
  return key === 'server-snippet'
    ? { key, name, annotations, server: text, modules, requests: compared, ...more }
    : { key, name, annotations, location: text, modules, requests: compared, ...more }
}

export const snippets: Group = {
  name: 'snippets',
  comparisons: snippetCorpus
    .filter(({ plain, module }) => plain === true || module !== undefined)
    .map(comparisonOf),
}
