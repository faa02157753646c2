/** Work that a session puts off to the end of the turn. */
export interface TurnTask {
  onTurn(): void
}

/**
 * Sessions with something to do at the end of this turn of the event loop: what many streams sent
 * meanwhile leaves in one write. One queue a thread; it has no timer of its own.
 */
export class TurnQueue {
  /** Counts turns, so that a session can tell whether its share of one is used up. */
  turn = 0
  #now: TurnTask[] = []
  #next: TurnTask[] = []
  #waking = false
  readonly #wake: () => void

  /** `wake` must see to it that `run` is called once, behind the events now at hand: `setImmediate`. */
  constructor(wake: () => void) {
    this.#wake = wake
  }

  /** Whether anything waits. */
  get busy(): boolean {
    return this.#now.length > 0 || this.#next.length > 0
  }

  /** At the end of this turn; when it has begun, still in it. */
  add(task: TurnTask): void {
    this.#now.push(task)
    this.#ask()
  }

  /** In the next turn, after other connections had theirs. */
  later(task: TurnTask): void {
    this.#next.push(task)
    this.#ask()
  }

  run(): void {
    this.#waking = true
    this.turn++
    const tasks = this.#now
    for (let i = 0; i < tasks.length; i++) (tasks[i] as TurnTask).onTurn()
    tasks.length = 0
    this.#now = this.#next
    this.#next = tasks
    this.#waking = false
    if (this.#now.length > 0) this.#ask()
  }

  #ask(): void {
    if (this.#waking) return
    this.#waking = true
    this.#wake()
  }
}
