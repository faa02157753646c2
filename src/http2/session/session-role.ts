import type { UpstreamFailure } from '#src/exchange/streams.ts'
import type { CloseReason } from '#src/transport/transport.ts'
import type { HeaderBlocks } from './header-blocks.ts'
import type { Http2Stream } from './stream.ts'

/** What differs between the two ends of a session. */
export interface SessionRole {
  readonly isServer: boolean
  /** A field block is whole. It must be decoded, wanted or not. */
  onHeaderBlock(block: HeaderBlocks, streamId: number): void
  /** Whether no stream with this identifier was opened yet. */
  isIdle(streamId: number): boolean
  /** The peer's SETTINGS changed. */
  onSettings(): void
  /** The peer ends the session; streams of ours above `lastStreamId` were not processed. */
  onGoaway(lastStreamId: number): void
  /** A stream is gone, or a drain has come to its second step. */
  onStreamGone(): void
  /** Looks after a stream once a second. */
  checkStream(stream: Http2Stream): void
  /** No stream can be opened any more; those that are open are about to fail. */
  onEnding(): void
  /** What an upstream's streams fail with when the connection closes. */
  closeFailure(reason: CloseReason): UpstreamFailure
  /** The session is over; exactly once. */
  onClosed(reason: CloseReason): void
}
