import type { FlagGroup, FlagValues } from './flags.ts'

/** What a command gets to work with. */
export interface CommandContext {
  readonly values: FlagValues
  /** Arguments that are not flags. */
  readonly operands: readonly string[]
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Writes to standard output, as is. Resolves when it is written. */
  readonly write: (text: string) => Promise<void>
  /** Writes one line to standard error. */
  readonly writeError: (line: string) => Promise<void>
}

/** Runs a command; gives the exit code. */
export type RunCommand = (context: CommandContext) => Promise<number>

/** One command of the program. */
export interface Command {
  /** One sentence for the help. */
  readonly summary: string
  /** Flags that it takes. */
  readonly flags: readonly FlagGroup[]
  /** Operands as the help shows them, '' for none. */
  readonly operands: string
  /** Loads the code; commands do not pay for each other. */
  readonly load: () => Promise<RunCommand>
}

/** A command cannot do its work: one line, exit code 1. */
export class CommandError extends Error {}
