import { annotationJsonSchema, optionJsonSchema } from '#src/compile/values/reference.ts'
import type { CommandContext } from './command.ts'
import { UsageError } from './parse-flags.ts'
import { compileSettingsOf } from './settings.ts'

/** What can be described; annotations, where nothing is said. */
const subjects = ['annotations', 'configmap'] as const

/** `headgate schema [annotations|configmap]`: JSON Schema, for editors and for checks before a commit. */
export async function schema({ operands, values, write }: CommandContext): Promise<number> {
  const [subject = 'annotations', ...rest] = operands
  const known = subjects.find((name) => name === subject)
  if (known === undefined || rest.length > 0) {
    throw new UsageError(
      `schema needs one of ${subjects.join(', ')}, got ${JSON.stringify(operands.join(' '))}`,
    )
  }
  const { annotationsPrefix } = compileSettingsOf(values)
  const described =
    known === 'annotations' ? annotationJsonSchema(annotationsPrefix) : optionJsonSchema()
  await write(`${JSON.stringify(described, null, 2)}\n`)
  return 0
}
