import { run } from '#src/commands/run.ts'

/** Runs a command in this process. */
export async function call(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = ''
  let err = ''
  const code = await run(args, {
    environment: {},
    write: async (text) => {
      out += text
      await Promise.resolve()
    },
    writeError: async (line) => {
      err += `${line}\n`
      await Promise.resolve()
    },
  })
  return { code, out, err }
}
