import { quote } from '#src/annotations/schema.ts'
import type { ReportField, Risk, SettingText } from '#src/annotations/schema.ts'
import type { GlobalValues } from './values/global-options.ts'
import { annotationSchema } from './values/schema.ts'

const ranks: Readonly<Record<Risk, number>> = { low: 0, medium: 1, high: 2, critical: 3 }

/**
 * Whether an Ingress may not be served for what its annotations are: of a higher risk than
 * `annotations-risk-level` allows, or with a word of `annotation-value-word-blocklist` in a value.
 */
export function isForbidden(
  texts: ReadonlyMap<string, SettingText>,
  options: GlobalValues,
  report: ReportField,
): boolean {
  const level = options['annotations-risk-level']
  const allowed = ranks[level.toLowerCase() as Risk]
  const words = options['annotation-value-word-blocklist']
  let forbidden = false
  for (const [name, { key, text }] of texts) {
    const risk = annotationSchema[name]?.risk ?? 'low'
    if (ranks[risk] > allowed) {
      forbidden = true
      const message = `is of ${risk} risk, and annotations-risk-level allows ${level.toLowerCase()}`
      report('annotation-forbidden', key, message)
    }
    const word = words.find((listed) => text.includes(listed))
    if (word === undefined) continue
    forbidden = true
    const message = `holds ${quote(word)}, which annotation-value-word-blocklist forbids`
    report('annotation-forbidden', key, message)
  }
  return forbidden
}
