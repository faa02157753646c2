#!/usr/bin/env node
import type { Writable } from 'node:stream'
import { run } from './commands/run.ts'

/** Writes and waits; a reader that went away is no fault of ours. */
async function writeTo(stream: Writable, text: string): Promise<void> {
  await new Promise<void>((resolve) => {
    stream.write(text, () => {
      resolve()
    })
  })
}

process.stdout.on('error', () => undefined)
process.stderr.on('error', () => undefined)

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
