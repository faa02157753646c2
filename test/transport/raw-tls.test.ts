import { RawTransport } from '#src/transport/raw.ts'
import { sessionContract } from './contract-sessions.ts'
import { streamContract } from './contract-streams.ts'
import { connectSecured, tlsContract } from './contract-tls.ts'
import { upstreamTlsContract } from './contract-upstream-tls.ts'

const transport = new RawTransport()
tlsContract('raw', transport)
sessionContract('raw', transport)
upstreamTlsContract('raw', transport)
streamContract('raw over TLS 1.2', transport, connectSecured('TLSv1.2'))
streamContract('raw over TLS 1.3', transport, connectSecured('TLSv1.3'))
