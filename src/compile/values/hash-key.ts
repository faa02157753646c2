import type { ValueType } from '#src/annotations/types.ts'
import { isVariable } from '#src/policies/variables.ts'
import type { HashKeyPart } from '#src/table/table.ts'

/** Text with nginx variables, `$name` or `${name}`, out of the closed set that we know. */
export const hashKey: ValueType<readonly HashKeyPart[]> = {
  expects: 'text with variables such as $request_uri, $remote_addr, $http_x_user, ${cookie_sid}',
  schema: { pattern: '^(?:[^$]|\\$\\w+|\\$\\{\\w+\\})+$' },
  parse(text) {
    const read = readParts(text)
    return 'problem' in read ? undefined : read.parts
  },
  format: (parts) =>
    parts.map((part) => ('text' in part ? part.text : `\${${part.variable}}`)).join(''),
  explain(text) {
    const read = readParts(text)
    return 'problem' in read ? read.problem : undefined
  },
}

type Read = { readonly parts: readonly HashKeyPart[] } | { readonly problem: string }

function readParts(text: string): Read {
  const parts: HashKeyPart[] = []
  for (const [token, braced, plain] of text.matchAll(/\$\{(\w+)\}|\$(\w+)|\$|[^$]+/g)) {
    const name = (braced ?? plain ?? '').toLowerCase()
    if (!token.startsWith('$')) parts.push({ text: token })
    else if (name === '') return { problem: 'a $ must begin a variable' }
    else if (isVariable(name)) parts.push({ variable: name })
    else return { problem: `$${name} is not a variable that is known here` }
  }
  return { parts }
}
