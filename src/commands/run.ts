import { suggest } from '#src/annotations/suggest.ts'
import { errorStack, errorText } from '#src/observe/log.ts'
import { printable } from '#src/observe/printable.ts'
import type { Command, CommandContext } from './command.ts'
import { CommandError } from './command.ts'
import { commandHelp, generalHelp } from './help.ts'
import { commands } from './index.ts'
import { UsageError, parseFlags } from './parse-flags.ts'

/** What the program takes from its process. */
export type Surroundings = Pick<CommandContext, 'environment' | 'write' | 'writeError'>

/** Runs the program with these arguments; gives its exit code: 0, 1 failed, 2 called wrongly. */
export async function run(args: readonly string[], given: Surroundings): Promise<number> {
  const surroundings: Surroundings = {
    environment: given.environment,
    write: (text) => given.write(printable(text)),
    writeError: (line) => given.writeError(printable(line)),
  }
  const { write, writeError } = surroundings
  try {
    const [name, ...rest] = args
    if (name === undefined || isHelp(name)) {
      await write(generalHelp(commands))
      return name === undefined ? 2 : 0
    }
    return await runNamed(name === '--version' ? 'version' : name, rest, surroundings)
  } catch (error) {
    await writeError(`headgate: ${errorText(error)}`)
    if (error instanceof UsageError) return 2
    // Anything else is a fault of ours: where it came from helps whoever reports it.
    if (!(error instanceof CommandError)) await writeError(errorStack(error))
    return 1
  }
}

async function runNamed(
  name: string,
  args: readonly string[],
  surroundings: Surroundings,
): Promise<number> {
  const command = commandNamed(name)
  if (args.some(isHelp)) {
    await surroundings.write(commandHelp(name, command))
    return 0
  }
  const parsed = parseFlags(args, surroundings.environment, command.flags)
  if (command.operands === '' && parsed.operands.length > 0) {
    throw new UsageError(`unexpected argument ${JSON.stringify(parsed.operands[0])}`)
  }
  const runCommand = await command.load()
  return await runCommand({ ...surroundings, ...parsed })
}

function isHelp(argument: string): boolean {
  return argument === '--help' || argument === '-h'
}

function commandNamed(name: string): Command {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (command !== undefined) return command
  if (name.startsWith('-')) throw new UsageError(`the first argument is a command, got ${name}`)
  const near = suggest(name, Object.keys(commands))
  const hint = near === undefined ? '; see headgate help' : `; did you mean ${near}?`
  throw new UsageError(`there is no command ${JSON.stringify(name)}${hint}`)
}
