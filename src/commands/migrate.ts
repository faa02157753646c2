import type { Diagnostic } from '#src/annotations/diagnostics.ts'
import { lint } from '#src/compile/lint.ts'
import { compileOptions } from '#src/compile/options.ts'
import { ingressOutcome } from '#src/compile/outcome.ts'
import type { CompileSettings, ObjectName } from '#src/compile/settings.ts'
import type { AnyObject } from '#src/snapshot/objects.ts'
import { certificateReaders } from '#src/transport/certificate-readers.ts'
import type { CommandContext } from './command.ts'
import { findingLine } from './lint.ts'
import { namedFiles, readManifests, snapshotOf } from './manifests.ts'
import type { Manifests } from './manifests.ts'
import { chooseMovers } from './migrate/classes.ts'
import { readCluster } from './migrate/cluster.ts'
import { reviewOf, sortReviews } from './migrate/review.ts'
import type { Review } from './migrate/review.ts'
import { countKeys, summarize } from './migrate/summary.ts'
import { gravestOf, migrationJson, migrationText } from './migrate/text.ts'
import type { Migration } from './migrate/text.ts'
import { UsageError } from './parse-flags.ts'
import { createProgress } from './progress.ts'
import type { Progress } from './progress.ts'
import { compileSettingsOf } from './settings.ts'

/** A list of all Ingresses of a large cluster is one file. */
const fileBytesMax = 256 * 1024 * 1024
/** So many take more than a moment. */
const manyObjects = 2000

/**
 * `headgate migrate [FILES…]`, without files of a cluster: what becomes of each Ingress of ingress-nginx, each of its annotations
 * and each key of its ConfigMap; worst first. Exit code 1: something would not be in force; with
 * --strict also: something would differ.
 */
export async function migrate(context: CommandContext): Promise<number> {
  const { values, write, writeError } = context
  const progress = createProgress(writeError)
  const { objects, diagnostics } = await read(context, progress)
  if (objects.length > manyObjects) await writeError(`judging ${objects.length} objects`)
  const migration = judge(objects, diagnostics, compileSettingsOf(values))
  await write(values.output === 'json' ? migrationJson(migration) : migrationText(migration))
  const gravest = gravestOf(migration)
  return gravest === 'error' || (gravest === 'warning' && values.strict === true) ? 1 : 0
}

/** The files that are named, else a cluster. */
async function read(
  context: CommandContext,
  progress: Progress,
): Promise<Pick<Manifests, 'objects' | 'diagnostics'>> {
  const { values } = context
  const named = namedFiles(context)
  if (named.length > 0) {
    if (values.kubeconfig !== undefined || values.context !== undefined) {
      throw new UsageError('migrate reads files or a cluster, not both')
    }
    return await readManifests(named, { bytesMax: fileBytesMax, progress })
  }
  const found = await readCluster(context, progress)
  if (found !== undefined) return found
  throw new UsageError(
    'migrate needs files or folders to read, - for standard input, or a cluster: --kubeconfig',
  )
}

function judge(
  objects: readonly AnyObject[],
  ofFiles: readonly Diagnostic[],
  given: CompileSettings,
): Migration {
  const configMap = given.configMap ?? guessConfigMap(objects)
  const settings = { ...given, configMap }
  const movers = chooseMovers(objects, settings)
  const inputs = { ...certificateReaders, nowMs: Date.now() }
  const findings = lint(movers.objects, snapshotOf, settings, inputs)
  const reviews = sortReviews(reviewAll(movers.objects, [...findings, ...ofFiles], settings))
  const keys = countKeys(reviews)
  const named = new Set(reviews.map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`))
  return {
    fileProblems: ofFiles
      .filter(({ severity }) => severity === 'error')
      .filter(({ kind, namespace, name }) => !named.has(`${kind} ${namespace}/${name}`))
      .map(findingLine),
    reviews,
    keys,
    summary: summarize(reviews, keys),
    others: movers.others,
    configMap: configMap && {
      name: `${configMap.namespace}/${configMap.name}`,
      guessed: given.configMap === undefined,
    },
  }
}

/** The name that the manifests and the chart of ingress-nginx give to its ConfigMap. */
const usualConfigMap = /^(?:.+-)?ingress-nginx-controller$|^nginx-configuration$/

/** The ConfigMap of ingress-nginx, where exactly one looks like it. */
function guessConfigMap(objects: readonly AnyObject[]): ObjectName | undefined {
  const found = objects.filter(
    ({ kind, metadata }) => kind === 'ConfigMap' && usualConfigMap.test(metadata.name),
  )
  return found.length === 1 ? found[0]?.metadata : undefined
}

function reviewAll(
  objects: readonly AnyObject[],
  findings: readonly Diagnostic[],
  settings: CompileSettings,
): Review[] {
  const name = settings.configMap
  const configMap = name && snapshotOf(objects).get('ConfigMap', name.namespace, name.name)
  const options = compileOptions(configMap, settings)
  const byObject = Map.groupBy(findings, objectKey)
  const reviews: Review[] = []
  for (const object of objects) {
    const { kind, metadata } = object
    const own = byObject.get(objectKey({ kind, ...metadata })) ?? []
    const keys = settingsOf(object, settings)
    if (kind !== 'Ingress' && keys.length + own.length === 0) continue
    const outcome = kind === 'Ingress' ? ingressOutcome(object, options, settings) : 'served'
    reviews.push(reviewOf(object, keys, own, outcome))
  }
  return reviews
}

function objectKey({ kind, namespace, name }: ObjectName & { readonly kind: string }): string {
  return `${kind} ${namespace}/${name}`
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
