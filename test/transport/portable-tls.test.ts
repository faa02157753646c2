import { PortableTransport } from '#src/transport/portable.ts'
import { sessionContract } from './contract-sessions.ts'
import { streamContract } from './contract-streams.ts'
import { connectSecured, tlsContract } from './contract-tls.ts'
import { upstreamTlsContract } from './contract-upstream-tls.ts'

const transport = new PortableTransport('tested')
tlsContract('portable', transport)
sessionContract('portable', transport)
upstreamTlsContract('portable', transport)
streamContract('portable over TLS 1.3', transport, connectSecured('TLSv1.3'))
