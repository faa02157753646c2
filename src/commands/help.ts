import type { Command, CommandContext, RunCommand } from './command.ts'
import { flagsOf } from './parse-flags.ts'
import type { AnyFlag } from './parse-flags.ts'

/** Every command by name. */
export type Commands = Readonly<Record<string, Command>>

/** `headgate help [COMMAND]` */
export function helpOf(commands: Commands): RunCommand {
  return async ({ operands, write, writeError }: CommandContext) => {
    const [name] = operands
    if (name === undefined) {
      await write(generalHelp(commands))
      return 0
    }
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined
    if (command === undefined) {
      await writeError(`headgate: there is no command ${JSON.stringify(name)}`)
      return 2
    }
    await write(commandHelp(name, command))
    return 0
  }
}

/** The help of the program: its commands. */
export function generalHelp(commands: Commands): string {
  const rows = Object.entries(commands).map(([name, { summary }]): [string, string] => [
    `headgate ${name}`,
    summary,
  ])
  return `Headgate, a load-balancing ingress controller for Kubernetes.\n\n${columns(rows)}\nFlags of a command: headgate COMMAND --help\n`
}

/** The help of one command, with its flags. */
export function commandHelp(name: string, { summary, operands, flags: groups }: Command): string {
  const rows = flagsOf(groups).map(([flag, row]): [string, string] => [
    `--${flag} ${row.type.placeholder}`.trimEnd(),
    flagHelp(row),
  ])
  const usage = `Usage: headgate ${name}${rows.length > 0 ? ' [FLAGS]' : ''} ${operands}`.trimEnd()
  if (rows.length === 0) return `${usage}\n\n${summary}\n`
  const variables =
    'Every flag can also be an environment variable: HEADGATE_HTTP_PORT is --http-port.'
  return `${usage}\n\n${summary}\n\n${columns(rows)}\n${variables}\n`
}

function flagHelp(flag: AnyFlag): string {
  const given = flag.default === '' ? '' : ` Default: ${flag.default}.`
  return flag.unbuilt !== undefined
    ? `${flag.help} Not built yet: ${flag.unbuilt}.`
    : flag.help + given
}

const widthMax = 34

/** Two columns; a long first one gets a line of its own. */
function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.min(widthMax, Math.max(...rows.map(([first]) => first.length)))
  return rows
    .map(([first, second]) => {
      const gap =
        first.length > width ? `\n${' '.repeat(width + 2)}` : ' '.repeat(width - first.length)
      return `  ${first}${gap}  ${second}\n`
    })
    .join('')
}
