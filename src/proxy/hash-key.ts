import { hashText } from '#algorithms/hash.ts'
import { variableValue } from '#src/policies/variables.ts'
import type { VariableSource } from '#src/policies/variables.ts'
import type { HashKeyPart } from '#src/table/table.ts'

/** The 32-bit key that the parts give for this request. Absent values count as ''. */
export function hashKeyOf(source: VariableSource, parts: readonly HashKeyPart[]): number {
  let hash = 0
  for (const part of parts) {
    hash = hashText('text' in part ? part.text : variableValue(source, part.variable), hash)
  }
  return hash
}
