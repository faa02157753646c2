/** The user's data is at fault; the message may be shown. */
export class Unreadable extends Error {}

/** One block of a PEM text, written as OpenSSL wants it. */
export interface PemBlock {
  /** What stands between BEGIN and the dashes, e.g. `CERTIFICATE`. */
  readonly label: string
  readonly line: number
  readonly text: string
}

/**
 * The blocks of a PEM text (RFC 7468), between any other text. Throws `Unreadable`. `what` is for
 * messages; they must not quote the text, which may be a key.
 */
export function pemBlocks(pem: string, what: string): PemBlock[] {
  const blocks: PemBlock[] = []
  let label = ''
  let lines: string[] = []
  for (const [i, line] of pem.split(/\r\n|\r|\n/).entries()) {
    const edge = /^\s*-----(BEGIN|END) ([A-Z0-9 ]*)-----\s*$/.exec(line)
    if (edge === null) {
      if (label !== '') lines.push(line.trim())
      continue
    }
    const [, kind, name = ''] = edge
    if ((kind === 'BEGIN') !== (label === '') || (kind === 'END' && name !== label)) {
      throw new Unreadable(`the PEM of the ${what} has an unexpected ${kind} in line ${i + 1}`)
    }
    if (kind === 'BEGIN') {
      label = name
      lines = []
      continue
    }
    const text = `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
    blocks.push({ label, line: i + 1 - lines.length - 1, text })
    label = ''
  }
  if (label !== '') throw new Unreadable(`the PEM of the ${what} ends within a block ${label}`)
  return blocks
}
