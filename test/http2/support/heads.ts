import { Fields } from '#src/exchange/fields.ts'
import { ResponseHead } from '#src/exchange/heads.ts'

/** Fields of the pairs name, value, … */
export function fieldsOf(...pairs: readonly string[]): Fields {
  const fields = new Fields()
  for (let i = 0; i < pairs.length; i += 2)
    fields.append(pairs[i] as string, pairs[i + 1] as string)
  return fields
}

/** A head of the status, the length and the pairs name, value, … */
export function responseHead(
  status: number,
  contentLength = -1,
  ...pairs: readonly string[]
): ResponseHead {
  const head = new ResponseHead()
  head.status = status
  head.contentLength = contentLength
  for (let i = 0; i < pairs.length; i += 2) {
    head.fields.append(pairs[i] as string, pairs[i + 1] as string)
  }
  return head
}
