import type { ConnectionHandler } from './transport.ts'

function ignore(): void {
  // Nobody listens yet; an accepted connection reads nothing before it is resumed.
}

/** The handler of a connection that has no owner yet. */
export const unheard: ConnectionHandler = {
  onData: ignore,
  onEnd: ignore,
  onDrain: ignore,
  onClose: ignore,
}
