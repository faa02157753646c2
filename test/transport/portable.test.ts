import { PortableTransport } from '#src/transport/portable.ts'
import { connectionContract } from './contract-connections.ts'
import { streamContract } from './contract-streams.ts'
import { connectPair } from './recorder.ts'

const transport = new PortableTransport('tested')
connectionContract('portable', transport)
streamContract('portable', transport, connectPair)
