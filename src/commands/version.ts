import { readFileSync } from 'node:fs'
import type { CommandContext } from './command.ts'

/** Version of the product, from its package. */
export function productVersion(): string {
  const file = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(file) as { version: string }).version
}

/** `headgate version` */
export async function version({ write }: CommandContext): Promise<number> {
  await write(`headgate ${productVersion()} (Node.js ${process.version})\n`)
  return 0
}
