import { PortableTransport } from '#src/transport/portable.ts'
import { streamContract } from './contract-streams.ts'
import { connectPair } from './recorder.ts'

streamContract('portable', new PortableTransport('tested'), connectPair)
