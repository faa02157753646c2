/** What a timer wakes. */
export interface TimerOwner {
  onTimer(timer: Timer): void
}

/**
 * One deadline that is moved often and fires seldom. Moving it later costs one store: the wheel
 * finds the timer at its old place, sees the new deadline and files it anew.
 */
export class Timer {
  /** Milliseconds on the wheel's clock; Infinity: not armed. */
  deadline = Infinity
  /** Tick under which the wheel has filed it, -1: nowhere. */
  filed = -1
  next: Timer | undefined
  previous: Timer | undefined
  /** Whom it wakes. */
  owner: TimerOwner

  constructor(owner: TimerOwner) {
    this.owner = owner
  }
}

const nobody: TimerOwner = { onTimer() {} }

/** Stands in for a timer that was given back: armed, it wakes nobody. */
export const noTimer = new Timer(nobody)

/** Spare timers that a wheel keeps; more of them are let go. */
const spareMax = 1024

/**
 * A hashed timer wheel (Varghese and Lauck, 1987): deadlines of seconds for tens of thousands of
 * connections without one system timer each. Fires between the deadline and three ticks after it:
 * `arm` counts from the last `advance`, and so adds a tick.
 *
 * The owner of the wheel calls `advance` once a tick with its clock; nothing here reads a clock.
 */
export class TimerWheel {
  readonly tickMs: number
  /** Milliseconds as of the last `advance`. */
  now: number
  /** Timers filed, armed or not. */
  size = 0
  readonly #slots: (Timer | undefined)[]
  readonly #mask: number
  #tick: number
  /** The rest of the list being expired: callbacks may remove its members. */
  #expiring: Timer | undefined
  readonly #spare: Timer[] = []

  /** `slots` must be a power of two. */
  constructor(now: number, tickMs = 50, slots = 512) {
    this.now = now
    this.tickMs = tickMs
    this.#slots = Array.from({ length: slots }, () => undefined)
    this.#mask = slots - 1
    this.#tick = Math.floor(now / tickMs)
  }

  /**
   * A timer for what comes and goes with every request. It is mostly filed already, under an earlier
   * owner, so that to arm it changes no list.
   */
  take(owner: TimerOwner): Timer {
    const timer = this.#spare.pop()
    if (timer === undefined) return new Timer(owner)
    timer.owner = owner
    return timer
  }

  /** The owner is done with a timer from `take`, armed or not, and must not touch it again. */
  give(timer: Timer): void {
    if (this.#spare.length >= spareMax) {
      this.remove(timer)
      return
    }
    timer.deadline = Infinity
    timer.owner = nobody
    this.#spare.push(timer)
  }

  /** Fires `delayMs` from now, in place of any earlier deadline. */
  arm(timer: Timer, delayMs: number): void {
    timer.deadline = this.now + delayMs + this.tickMs
    const tick = this.#tickOf(timer.deadline)
    if (timer.filed >= 0) {
      if (timer.filed <= tick) return
      this.#unfile(timer)
    }
    this.#file(timer, tick)
  }

  /** Never fires until armed again. The wheel drops it when it next meets it. */
  disarm(timer: Timer): void {
    timer.deadline = Infinity
  }

  /** Takes the timer out at once, so that nothing refers to its owner any more. */
  remove(timer: Timer): void {
    timer.deadline = Infinity
    if (timer.filed >= 0) this.#unfile(timer)
  }

  /** Fires everything that is due at `now` (monotonic milliseconds). */
  advance(now: number): void {
    this.now = now
    const last = Math.floor(now / this.tickMs)
    // After a long stall one lap meets every timer.
    const first = Math.max(this.#tick + 1, last - this.#mask)
    for (let tick = first; tick <= last; tick++) {
      this.#tick = tick
      this.#expire(tick)
    }
  }

  #expire(tick: number): void {
    const slot = tick & this.#mask
    this.#expiring = this.#slots[slot]
    this.#slots[slot] = undefined
    let timer = this.#expiring
    while (timer !== undefined) {
      this.#unfile(timer)
      if (timer.deadline <= this.now) {
        timer.deadline = Infinity
        timer.owner.onTimer(timer)
      } else if (timer.deadline !== Infinity) {
        this.#file(timer, Math.max(this.#tickOf(timer.deadline), tick + 1))
      }
      timer = this.#expiring
    }
  }

  #tickOf(deadline: number): number {
    return Math.ceil(deadline / this.tickMs)
  }

  #file(timer: Timer, tick: number): void {
    const slot = tick & this.#mask
    const head = this.#slots[slot]
    timer.filed = tick
    timer.next = head
    timer.previous = undefined
    if (head !== undefined) head.previous = timer
    this.#slots[slot] = timer
    this.size++
  }

  #unfile(timer: Timer): void {
    const { next, previous } = timer
    if (next !== undefined) next.previous = previous
    if (previous !== undefined) previous.next = next
    else if (this.#expiring === timer) this.#expiring = next
    else this.#slots[timer.filed & this.#mask] = next
    timer.filed = -1
    timer.next = undefined
    timer.previous = undefined
    this.size--
  }
}
