/** The text of one document, and where in the file it begins. */
export interface DocumentText {
  readonly text: string
  /** From 1. */
  readonly line: number
}

/**
 * Cuts a YAML stream at its document markers (YAML 1.2.2, 9.1.2): a line that begins with `---` is one
 * wherever it stands, inside of quotes and block scalars too. Streams with directives or with document
 * ends (`...`) stay in one piece, which is what to do with them.
 */
export function splitDocuments(text: string): DocumentText[] {
  const documents: DocumentText[] = []
  if (/^(?:%|\.\.\.(?:\s|$))/m.test(text)) return [{ text, line: 1 }]
  let start = 0
  let line = 1
  for (const { index } of text.matchAll(/^---(?=\s|$)/gm)) {
    if (index === 0) continue
    const part = text.slice(start, index)
    documents.push({ text: part, line })
    line += part.split('\n').length - 1
    start = index
  }
  documents.push({ text: text.slice(start), line })
  return documents
}
