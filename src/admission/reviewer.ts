import { errorStack, errorText } from '#src/observe/log.ts'
import type { Logger } from '#src/observe/log.ts'
import { Compiler } from '#src/compile/compiler.ts'
import type { CertificateReaders, CompileSettings } from '#src/compile/settings.ts'
import type { Ingress } from '#src/snapshot/objects.ts'
import { project } from '#src/snapshot/project.ts'
import type { Snapshot } from '#src/snapshot/snapshot.ts'
import { judge, judgeInvalid } from './judge.ts'
import type { Judgement } from './judge.ts'
import { HostIndex } from './related.ts'
import { answerOf, uncheckedAnswer } from './review.ts'
import type { Answer, Review } from './review.ts'

export interface ReviewerOptions {
  readonly settings: CompileSettings
  readonly readers: CertificateReaders
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly log: Logger
}

/** What came of a review. */
export type Outcome = 'allowed' | 'warned' | 'denied' | 'unchecked'

const nothing: Judgement = { faults: [], warnings: [] }

/** Judges objects by the newest snapshot. Changes nothing, so that a dry run is like any other. */
export class Reviewer {
  readonly #options: ReviewerOptions
  readonly #compiler: Compiler
  readonly #index = new HostIndex()
  #snapshot: Snapshot | undefined

  constructor(options: ReviewerOptions) {
    this.#options = options
    this.#compiler = new Compiler(options.settings, options.readers)
  }

  use(snapshot: Snapshot): void {
    this.#snapshot = snapshot
  }

  /** Never throws: a fault of ours lets the object pass, with a word. */
  answer(review: Review): { readonly answer: Answer; readonly outcome: Outcome } {
    const { uid } = review
    if (this.#snapshot === undefined) return unchecked(uid, 'it is starting')
    try {
      const judgement = this.#judge(review, this.#snapshot)
      const passed = judgement.warnings.length > 0 ? 'warned' : 'allowed'
      const outcome = judgement.faults.length > 0 ? 'denied' : passed
      return { answer: answerOf(uid, judgement), outcome }
    } catch (error) {
      const { namespace, name } = review
      this.#options.log.error('an admission review failed', {
        object: `Ingress ${namespace}/${name}`,
        error: errorText(error),
        stack: errorStack(error),
      })
      return unchecked(uid, 'it failed; see its log')
    }
  }

  #judge(review: Review, snapshot: Snapshot): Judgement {
    const { group, kind, operation } = review
    if (group !== 'networking.k8s.io' || kind !== 'Ingress') return nothing
    if (operation !== 'CREATE' && operation !== 'UPDATE') return nothing
    const { settings, now } = this.#options
    const projected = project(namedObject(review), '')
    const [ingress] = projected.objects
    if (ingress?.kind === 'Ingress') {
      this.#index.follow(snapshot)
      const kept = { compiler: this.#compiler, index: this.#index }
      return judge(ingress, { snapshot, settings, ...kept, nowMs: now() })
    }
    return judgeInvalid(projected, bareIngress(review), { snapshot, settings })
  }
}

function unchecked(uid: string, why: string): { answer: Answer; outcome: Outcome } {
  return { answer: uncheckedAnswer(uid, why), outcome: 'unchecked' }
}

/** The API server may not have made up a name (`generateName`) or filled in the namespace yet. */
function namedObject({ object, namespace, name }: Review): Record<string, unknown> {
  const metadata = recordOf(object['metadata'])
  return {
    ...object,
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: {
      ...metadata,
      name: metadata['name'] ?? (name === '' ? 'unnamed' : name),
      namespace: metadata['namespace'] ?? namespace,
    },
  }
}

/** As much of an Ingress as says whose it is. */
function bareIngress({ object, namespace, name }: Review): Ingress {
  const className = recordOf(object['spec'])['ingressClassName']
  const annotations = recordOf(recordOf(object['metadata'])['annotations'])
  const texts = Object.entries(annotations).filter(([, value]) => typeof value === 'string')
  return {
    kind: 'Ingress',
    metadata: {
      namespace,
      name,
      uid: '',
      createdMs: 0,
      generation: 0,
      annotations: Object.fromEntries(texts) as Record<string, string>,
      labels: {},
    },
    file: '',
    className: typeof className === 'string' ? className : undefined,
    defaultBackend: undefined,
    tls: [],
    rules: [],
    published: [],
  }
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
