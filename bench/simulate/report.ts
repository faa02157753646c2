import type { Result, Row, Scenario } from './scenario.ts'
import { passes } from './scenario.ts'

/** The results of scenarios as a Markdown document with its plots beside it in `plotFolder`. */
export function markdownOf(
  results: readonly { readonly scenario: Scenario; readonly result: Result }[],
  plotFolder: string,
): string {
  const parts = [
    '# Simulations of the balancing library',
    '',
    'Written by `npm run simulate -- --publish`. Each table shows what our code does beside what is',
    'published, and the range that passes; rows without a range are for comparison. Where no figure was',
    'ever published, an independent simulation from before this library stands in its place. The runs',
    'are seeded: the same code gives the same figures.',
  ]
  for (const { scenario, result } of results) {
    parts.push('', `## ${scenario.title}`, '', scenario.about, '', tableOf(result.rows), '')
    for (const plot of result.plots) {
      parts.push(`![${plot.title}](${plotFolder}/${plot.file}.svg)`)
    }
  }
  return `${parts.join('\n')}\n`
}

/** A Markdown table of rows. */
export function tableOf(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.what,
    row.measured.toFixed(row.digits),
    row.published,
    row.passes === undefined ? '' : row.passes.map((end) => end.toFixed(row.digits)).join(' to '),
    verdict(row),
  ])
  const all = [['', 'measured', 'published', 'passes', ''], ...cells]
  const widths = all[0]?.map((_, column) =>
    Math.max(3, ...all.map((line) => line[column]?.length ?? 0)),
  )
  const lines = all.map(
    (line) => `| ${line.map((cell, at) => cell.padEnd(widths?.[at] ?? 0)).join(' | ')} |`,
  )
  const rule = `| ${widths?.map((size) => '-'.repeat(size)).join(' | ')} |`
  return [lines[0], rule, ...lines.slice(1)].join('\n')
}

function verdict(row: Row): string {
  if (row.passes === undefined) return ''
  return passes(row) ? 'ok' : '**out**'
}
