/** Behind the input that is there. */
export async function nextTurn(): Promise<void> {
  await new Promise<void>((resolve) => {
    setImmediate(resolve)
  })
}

/** Whether the work is done within that time. */
export async function inTime(work: Promise<void>, timeoutMs: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const timer = setTimeout(() => {
    resolve(false)
  }, timeoutMs)
  const done = await Promise.race([work.then(() => true), promise])
  clearTimeout(timer)
  return done
}
