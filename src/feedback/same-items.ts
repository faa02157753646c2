/** Whether two lists hold the same objects in the same order: most tables change endpoints alone. */
export function sameItems<Item>(a: readonly Item[], b: readonly Item[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i])
}
