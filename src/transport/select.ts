import { PortableTransport } from './portable.ts'
import { selfTest } from './self-test.ts'
import type { Transport } from './transport.ts'

/** The Node whose inside the raw transport knows. Its calls would end another one. */
const knownMajor = 26
const minorMin = 10

/**
 * The fastest transport that works here: raw handles on the Node they were written for, once they
 * have passed a test of some milliseconds on the loopback interface; else the portable one, which says why in
 * `fallbackReason`. Never rejects.
 */
export async function createTransport(): Promise<Transport> {
  const problem = rawProblem(process.version)
  if (problem !== '') return new PortableTransport(problem)
  try {
    const { RawTransport } = await import('./raw.ts')
    const raw = new RawTransport()
    await selfTest(raw)
    return raw
  } catch (error) {
    const { code = 'failed', message } = error as NodeJS.ErrnoException
    return new PortableTransport(`the raw transport does not work here: ${code}, ${message}`)
  }
}

/** Why raw handles must not even be tried with this version of Node (`v26.10.0`); '' when they may. */
export function rawProblem(version: string): string {
  const [major = 0, minor = 0] = version.slice(1).split('.').map(Number)
  if (major === knownMajor && minor >= minorMin) return ''
  return `raw handles are known for Node ${knownMajor}.${minorMin} and later ${knownMajor}.x, this is ${version}`
}
