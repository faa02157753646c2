import type { Reply, Suspension } from '#src/policies/policy.ts'

/** What a suspension reports to. */
export interface SuspensionOwner {
  resumed(handle: SuspensionHandle, reply: Reply | undefined): void
}

/** One stop of one exchange. It is used once; what comes later, or after a cancel, does nothing. */
export class SuspensionHandle implements Suspension {
  #owner: SuspensionOwner | undefined
  readonly #onCancel: () => void

  constructor(owner: SuspensionOwner, onCancel: () => void) {
    this.#owner = owner
    this.#onCancel = onCancel
  }

  resume(): void {
    this.#use(undefined)
  }

  reply(reply: Reply): void {
    this.#use(reply)
  }

  /** The exchange ended first. */
  cancel(): void {
    if (this.#owner === undefined) return
    this.#owner = undefined
    this.#onCancel()
  }

  #use(reply: Reply | undefined): void {
    const owner = this.#owner
    this.#owner = undefined
    owner?.resumed(this, reply)
  }
}
