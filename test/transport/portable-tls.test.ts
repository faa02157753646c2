import { PortableTransport } from '#src/transport/portable.ts'
import { streamContract } from './contract-streams.ts'
import { connectSecured, tlsContract } from './contract-tls.ts'
import { upstreamTlsContract } from './contract-upstream-tls.ts'

const transport = new PortableTransport('tested')
tlsContract('portable', transport)
upstreamTlsContract('portable', transport)
streamContract('portable over TLS 1.2', transport, connectSecured('TLSv1.2'))
streamContract('portable over TLS 1.3', transport, connectSecured('TLSv1.3'))
