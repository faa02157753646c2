#!/usr/bin/env node
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'
import type { Writable } from 'node:stream'

/** Writes and waits; a reader that went away is no fault of ours. */
async function writeTo(stream: Writable, text: string): Promise<void> {
  await new Promise<void>((resolve) => {
    stream.write(text, () => {
      resolve()
    })
  })
}

/**
 * Keeps compiled code beside the libraries, unless NODE_COMPILE_CACHE says where: without it half of a start
 * is spent compiling. Where the folder cannot be written, every start does so.
 */
function keepCompiledCode(): void {
  const folder = join(import.meta.dirname, '../node_modules/.cache/headgate')
  const { directory } = enableCompileCache({ directory: folder })
  // Threads take it from their environment.
  if (directory !== undefined) process.env['NODE_COMPILE_CACHE'] ||= folder
}

process.stdout.on('error', () => undefined)
process.stderr.on('error', () => undefined)

keepCompiledCode()
// Later than that: what is imported at the top is compiled before anything runs.
const { run } = await import('./commands/run.ts')
const code = await run(process.argv.slice(2), {
  environment: process.env,
  write: async (text) => {
    await writeTo(process.stdout, text)
  },
  writeError: async (line) => {
    await writeTo(process.stderr, `${line}\n`)
  },
})
process.exit(code)
