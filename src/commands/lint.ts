import type { Place } from '#src/annotations/diagnostics.ts'
import { lint as lintObjects } from '#src/compile/lint.ts'
import { certificateReaders } from '#src/transport/certificate-readers.ts'
import type { ShownFinding } from '#src/controller/findings.ts'
import { printableLine } from '#src/observe/printable.ts'
import type { CommandContext } from './command.ts'
import { askInstance, isInCluster } from './instance.ts'
import { namedFiles, readManifests, snapshotOf } from './manifests.ts'
import { UsageError } from './parse-flags.ts'
import { compileSettingsOf } from './settings.ts'

/** A finding of ours, or of an instance of another version. */
type Finding = Place & Pick<ShownFinding, 'code' | 'severity' | 'message'>

/**
 * `headgate lint FILES…`: 0 when all is well, 1 on errors, with --strict on warnings too. In a cluster and
 * without files it is what the running instance has found.
 */
export async function lint(context: CommandContext): Promise<number> {
  const { values } = context
  const named = namedFiles(context)
  if (named.length === 0 && isInCluster(values)) {
    const found = (await askInstance(context, '/api/diagnostics')) as readonly ShownFinding[]
    const findings = found.map((finding) => Object.assign({}, finding.object, finding))
    return await tell(context, findings, 'the running instance')
  }
  if (named.length === 0) throw new UsageError('lint needs files or folders to check')
  const { objects, diagnostics, files } = await readManifests(named)
  const inputs = { ...certificateReaders, nowMs: Date.now() }
  const compiled = lintObjects(objects, snapshotOf, compileSettingsOf(values), inputs)
  const what = `${count(files, 'file')}, ${count(objects.length, 'object')}`
  return await tell(context, [...diagnostics, ...compiled], what)
}

async function tell(
  { values, write }: CommandContext,
  findings: readonly Finding[],
  what: string,
): Promise<number> {
  const counts: Record<string, number> = { error: 0, warning: 0, info: 0 }
  for (const { severity } of findings) counts[severity] = (counts[severity] ?? 0) + 1
  const { error = 0, warning = 0, info = 0 } = counts
  const summary = `${what}: ${count(error, 'error')}, ${count(warning, 'warning')}, ${count(info, 'note')}`
  await write(`${findings.map(findingLine).join('')}${summary}\n`)
  return error > 0 || (values.strict === true && warning > 0) ? 1 : 0
}

/** One finding on one line: where, how grave, what. */
export function findingLine(finding: Finding): string {
  const { severity, code, kind, namespace, name, field, file, message } = finding
  const object = [kind, [namespace, name].filter(Boolean).join('/')].filter(Boolean).join(' ')
  const inFile = [kind === 'File' ? '' : object, field].filter(Boolean).join(' ')
  const place = [file, inFile].filter(Boolean).join(': ')
  return `${printableLine(`${place}: ${severity}: ${message} (${code})`)}\n`
}

/** A number with its noun: `1 file`, `2 files`. */
export function count(number: number, noun: string, plural = `${noun}s`): string {
  return `${number} ${number === 1 ? noun : plural}`
}
