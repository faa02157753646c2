import { atEndOfTurn } from '#src/exchange/turn.ts'

/** Somebody with text to write when this turn of the event loop is over. */
export interface LateWriter {
  writeNow(): void
}

/** No array that is emptied: it would take new memory in each turn. */
const writers: (LateWriter | undefined)[] = []
let count = 0

/**
 * Calls `writeNow` behind the events now at hand. Writes that follow each other closely find their readers awake
 * where those run on this machine, while one between two reads wakes its reader each time; and each kind of work
 * finds its code in the processor's cache.
 */
export function writeAtEndOfTurn(writer: LateWriter): void {
  if (count === 0) atEndOfTurn(writeAll)
  writers[count++] = writer
}

function writeAll(): void {
  for (let i = 0; i < count; i++) {
    const writer = writers[i] as LateWriter
    writers[i] = undefined
    writer.writeNow()
  }
  count = 0
}
