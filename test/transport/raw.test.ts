import { RawTransport } from '#src/transport/raw.ts'
import { connectionContract } from './contract-connections.ts'
import { streamContract } from './contract-streams.ts'
import { connectPair } from './recorder.ts'

const transport = new RawTransport()
connectionContract('raw', transport)
streamContract('raw', transport, connectPair)
