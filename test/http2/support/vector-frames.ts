import { preface as clientPreface } from '#src/http2/protocol.ts'
import { settings, settingsAck } from './frames.ts'

export { frame, literals } from './frames.ts'

/** What a client sends first. */
export const preface = Buffer.concat([clientPreface, settings(), settingsAck])
