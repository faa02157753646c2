import { ingressNginxPendingOptions } from './ingress-nginx-options.ts'
import { ingressNginxOptionVerdicts } from './ingress-nginx-option-verdicts.ts'
import type { OptionVerdict } from './ingress-nginx-option-verdicts.ts'
import { complete, optionCodes, readGiven } from './schema.ts'
import type { AnyOptions, OptionTable, ReportField, SettingText } from './schema.ts'
import { suggest } from './suggest.ts'

/** The value of every ConfigMap key, by key. Read it through `optionsOf`. */
export type OptionValues = Readonly<Record<string, unknown>>

/** Reads the ConfigMap against all options there are. Total, as `readGiven` is. */
export function readOptions(
  schema: AnyOptions,
  data: Readonly<Record<string, string>>,
  report: ReportField,
): OptionValues {
  const texts = new Map<string, SettingText>()
  for (const [key, text] of Object.entries(data)) {
    if (Object.hasOwn(schema, key)) texts.set(key, { key, text })
    else reportUnread(schema, key, text, report)
  }
  return complete<Record<string, unknown>>(
    schema,
    readGiven<Record<string, unknown>>(schema, texts, { codes: optionCodes, report }),
  )
}

function reportUnread(schema: AnyOptions, key: string, text: string, report: ReportField): void {
  const known = Object.hasOwn(ingressNginxOptionVerdicts, key)
    ? ingressNginxOptionVerdicts[key]
    : undefined
  if (known !== undefined) {
    reportVerdict(key, text, known, report)
  } else if (!ingressNginxPendingOptions.has(key)) {
    const near = suggest(key, [
      ...Object.keys(schema),
      ...Object.keys(ingressNginxOptionVerdicts),
      ...ingressNginxPendingOptions,
    ])
    const question = near === undefined ? '' : `; did you mean ${near}?`
    report('option-unknown', key, `is not known${question}`)
  } else if (text.trim() === '') {
    report('option-unused', key, 'is empty')
  } else {
    report('option-refused', key, 'this option of ingress-nginx is not supported yet')
  }
}

// oxlint-disable-next-line max-params -- one step of reportUnread, split off for its length
function reportVerdict(
  key: string,
  text: string,
  { verdict, why, presets }: OptionVerdict,
  report: ReportField,
): void {
  const value = text.trim().toLowerCase()
  if (verdict === 'unused') report('option-unused', key, why)
  else if (value === '') report('option-unused', key, 'is empty')
  else if (presets.includes(value)) report('option-unused', key, 'says what holds here')
  else report('option-refused', key, `is refused: ${why}`)
}

/** The values of one table of options. */
export function optionsOf<Values extends object>(
  table: OptionTable<Values>,
  values: OptionValues,
): Values {
  const own: Record<string, unknown> = {}
  for (const key of Object.keys(table)) own[key] = values[key]
  return own as Values
}
