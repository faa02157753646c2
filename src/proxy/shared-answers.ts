import { BroadcastChannel } from 'node:worker_threads'
import type { AnswerCache, AuthAnswer, OnAnswer } from '#src/policies/external-auth-cache.ts'

type Message = readonly [key: string, answer: AuthAnswer, until: number]

/** Longer ones stay with the worker that got them. */
const textLengthMax = 16 * 1024

/** How much a worker tells the others; what is beyond costs them a question of their own. */
export interface SharedAnswersOptions {
  readonly answersPerSecond: number
  /** Milliseconds. */
  readonly now: () => number
  readonly onLeftOut: () => void
}

/**
 * Kept answers of authentication services, told from worker to worker, so that a client meets the same
 * cache whichever worker has its connection. What is told is bounded, because a worker that stands
 * still reads nothing.
 */
export class SharedAnswers {
  readonly #channel: BroadcastChannel
  readonly #cache: AnswerCache
  readonly #options: SharedAnswersOptions
  readonly #onAnswer: OnAnswer = (key, answer, until) => {
    this.#tell([key, answer, until])
  }
  #second = 0
  #sent = 0

  constructor(name: string, cache: AnswerCache, options: SharedAnswersOptions) {
    this.#channel = new BroadcastChannel(name)
    this.#cache = cache
    this.#options = options
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- its type has no events
    this.#channel.onmessage = ({ data }: { data: Message }) => {
      cache.take(...data)
    }
    this.#channel.unref()
    cache.onAnswer = this.#onAnswer
  }

  close(): void {
    if (this.#cache.onAnswer === this.#onAnswer) this.#cache.onAnswer = undefined
    this.#channel.close()
  }

  #tell(message: Message): void {
    if (!this.#hasRoom() || lengthOf(message) > textLengthMax) {
      this.#options.onLeftOut()
      return
    }
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- not a window
    this.#channel.postMessage(message)
  }

  #hasRoom(): boolean {
    const second = Math.floor(this.#options.now() / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#sent = 0
    }
    return this.#sent++ < this.#options.answersPerSecond
  }
}

function lengthOf([key, { fields, cookies, challenge, variant }]: Message): number {
  const texts = [key, challenge, ...fields, ...cookies, variant?.values ?? '']
  return texts.reduce((sum, text) => sum + text.length, 0)
}
