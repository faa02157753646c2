import { RawTransport } from '#src/transport/raw.ts'
import { streamContract } from './contract-streams.ts'
import { connectPair } from './recorder.ts'

streamContract('raw', new RawTransport(), connectPair)
