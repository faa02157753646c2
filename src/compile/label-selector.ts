/** One condition on labels. Without values: the label must be there, or must not. */
export interface LabelRequirement {
  readonly key: string
  readonly operator: 'in' | 'notin' | 'exists' | 'absent'
  readonly values: readonly string[]
}

const key = '[A-Za-z0-9](?:[-\\w./]*[A-Za-z0-9])?'
const value = '[-\\w.]*'
const requirement = new RegExp(
  `^\\s*(?:(!)\\s*(${key})|(${key})(?:\\s*(==|=|!=)\\s*(${value})|\\s+(in|notin)\\s*\\(([-\\w., ]*)\\))?)\\s*$`,
)

/**
 * Reads a label selector as kubectl writes it: `team=shop,env!=dev,tier in (a, b),!legacy`.
 * Undefined: it is not one.
 */
export function parseLabelSelector(text: string): readonly LabelRequirement[] | undefined {
  if (text.trim() === '') return []
  const requirements: LabelRequirement[] = []
  // Commas between parentheses belong to a set of values.
  for (const part of text.split(/,(?![^(]*\))/)) {
    const read = readRequirement(part)
    if (read === undefined) return undefined
    requirements.push(read)
  }
  return requirements
}

function readRequirement(text: string): LabelRequirement | undefined {
  const match = requirement.exec(text)
  if (match === null) return undefined
  const [, not, absent = '', name = '', sign, single = '', set, list = ''] = match
  if (not !== undefined) return { key: absent, operator: 'absent', values: [] }
  if (sign !== undefined) {
    return { key: name, operator: sign === '!=' ? 'notin' : 'in', values: [single] }
  }
  if (set === undefined) return { key: name, operator: 'exists', values: [] }
  const values = list.split(',').map((item) => item.trim())
  return { key: name, operator: set === 'in' ? 'in' : 'notin', values }
}

/** Whether labels meet every requirement. As in Kubernetes, `notin` holds for an absent label. */
export function matchesLabels(
  requirements: readonly LabelRequirement[],
  labels: Readonly<Record<string, string>>,
): boolean {
  return requirements.every((one) => meets(one, labels))
}

function meets(
  { key: name, operator, values }: LabelRequirement,
  labels: Readonly<Record<string, string>>,
): boolean {
  const own = Object.hasOwn(labels, name) ? labels[name] : undefined
  if (operator === 'exists') return own !== undefined
  if (operator === 'absent') return own === undefined
  const listed = own !== undefined && values.includes(own)
  return operator === 'in' ? listed : !listed
}
