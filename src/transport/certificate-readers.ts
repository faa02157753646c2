import { readAuthorities } from './authorities.ts'
import { readCertificate } from './certificate.ts'

/** What the compiler is given to look into Secrets. */
export const certificateReaders = { readCertificate, readAuthorities } as const
