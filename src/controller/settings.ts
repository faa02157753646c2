import type { CompileSettings } from '#src/compile/settings.ts'

/** What the control plane is told by the command line. Plain data: it goes to a thread of its own. */
export interface ControlPlaneSettings {
  /** Folder of manifests. */
  readonly files: string
  readonly compile: CompileSettings
}
