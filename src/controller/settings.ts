import type { CompileSettings } from '#src/compile/settings.ts'
import type { PublishSettings } from '#src/feedback/published-addresses.ts'
import type { OwnPod } from '#src/feedback/replicas.ts'
import type { ClusterChoice } from '#src/kubernetes/kube-config.ts'

/** What a replica does for its cluster. Plain data. */
export interface DutySettings {
  /** Of this replica, and kept when its control plane starts again. */
  readonly identity: string
  /** The Pod of this process, where it is known. */
  readonly pod: OwnPod | undefined
  /** The Lease; namespace '': that of the client. */
  readonly election: { readonly id: string; readonly namespace: string }
  readonly publish: PublishSettings
  readonly updateStatus: boolean
  /** Under this name status and Events are written. */
  readonly controllerClass: string
  /** Namespaces whose Ingresses are served; empty: all. */
  readonly namespaces: readonly string[]
}

/** The admission webhook. Plain data. */
export interface WebhookSettings {
  readonly port: number
  /** A certificate in files, or else ... */
  readonly files: { readonly certificateFile: string; readonly keyFile: string } | undefined
  /** ... one that the leader makes; namespace '': that of the client. */
  readonly managed:
    | { readonly configuration: string; readonly namespace: string; readonly secret: string }
    | undefined
}

/** Where the last good state is kept. */
export interface StateSettings {
  readonly folder: string
  /** Text of the key that seals Secrets; '': they are not kept. */
  readonly key: string
  /** Version of the product. */
  readonly writtenBy: string
}

/** What the control plane is told by the command line. Plain data: it goes to a thread of its own. */
export interface ControlPlaneSettings {
  /** Where objects come from: this folder of manifests, … */
  readonly files?: string
  /** … or a cluster. */
  readonly cluster?: ClusterSettings
  readonly compile: CompileSettings
  readonly webhook?: WebhookSettings
  readonly state?: StateSettings
}

export interface ClusterSettings {
  readonly choice: ClusterChoice
  /** As the API server sees us. */
  readonly userAgent: string
  readonly duties: DutySettings
}
