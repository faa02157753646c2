import type { Diagnostic, DiagnosticCode } from '#src/annotations/diagnostics.ts'
import { lint } from '#src/compile/lint.ts'
import type { CompileSettings } from '#src/compile/settings.ts'
import type { AnyObject } from '#src/snapshot/objects.ts'
import { readCertificate } from '#src/transport/certificate.ts'
import type { CommandContext } from './command.ts'
import { count, findingLine } from './lint.ts'
import { readManifests, snapshotOf } from './manifests.ts'
import { UsageError } from './parse-flags.ts'
import { compileSettingsOf } from './settings.ts'

/** What becomes of one annotation or option. */
type Verdict = 'honoured' | 'differs' | 'no effect' | 'not in force'

const verdictOf: Readonly<Partial<Record<DiagnosticCode, Verdict>>> = {
  'annotation-differs': 'differs',
  'annotation-unused': 'no effect',
  'option-differs': 'differs',
  'option-unused': 'no effect',
}

interface Judged {
  readonly key: string
  readonly verdict: Verdict
  readonly message: string
}

/**
 * `headgate migrate FILES…`: what each annotation of ingress-nginx, and each key of the ConfigMap that
 * --configmap names, does here.
 */
export async function migrate({ operands, values, write }: CommandContext): Promise<number> {
  if (operands.length === 0) throw new UsageError('migrate needs files or folders to read')
  const settings = compileSettingsOf(values)
  const { objects, diagnostics } = await readManifests(operands)
  const inputs = { readCertificate, nowMs: Date.now() }
  const findings = lint(objects, snapshotOf, settings, inputs)
  const totals = new Map<Verdict, number>()
  let text = diagnostics.map(findingLine).join('')
  let judgedObjects = 0
  for (const object of objects) {
    const judged = judge(object, findings, settings)
    if (judged.length === 0) continue
    judgedObjects++
    text += describe(object, judged)
    for (const { verdict } of judged) totals.set(verdict, (totals.get(verdict) ?? 0) + 1)
  }
  const parts = [...totals].map(([verdict, number]) => `${number} ${verdict}`)
  await write(
    `${text}${count(judgedObjects, 'object')} with settings: ${parts.join(', ') || 'none'}\n`,
  )
  return 0
}

function judge(
  object: AnyObject,
  findings: readonly Diagnostic[],
  settings: CompileSettings,
): Judged[] {
  const { kind, metadata } = object
  const { namespace, name } = metadata
  const own = findings.filter(
    (f) => f.kind === kind && f.namespace === namespace && f.name === name,
  )
  return settingsOf(object, settings).map((key) => {
    const about = own.filter(({ field }) => field === key)
    const [finding] = about
    if (finding === undefined) return { key, verdict: 'honoured', message: '' }
    const verdict = verdictOf[finding.code] ?? 'not in force'
    return { key, verdict, message: about.map(({ message }) => message).join('; ') }
  })
}

/** Keys of an object that ingress-nginx would read. */
function settingsOf(
  object: AnyObject,
  { annotationsPrefix, configMap }: CompileSettings,
): string[] {
  const { kind, metadata } = object
  if (kind === 'ConfigMap') {
    const ours = configMap?.namespace === metadata.namespace && configMap.name === metadata.name
    return ours ? Object.keys(object.data) : []
  }
  if (kind !== 'Ingress' && kind !== 'Service') return []
  return Object.keys(metadata.annotations).filter((key) => key.startsWith(`${annotationsPrefix}/`))
}

const verdictWidth = 'not in force'.length

function describe({ kind, metadata, file }: AnyObject, judged: readonly Judged[]): string {
  const lines = judged.map(({ key, verdict, message }) => {
    const line = `  ${verdict.padEnd(verdictWidth)}  ${key}`
    return message === '' ? line : `${line}: ${message}`
  })
  const title = `${kind} ${metadata.namespace}/${metadata.name}${file === '' ? '' : ` (${file})`}`
  return `${title}\n${lines.join('\n')}\n`
}
