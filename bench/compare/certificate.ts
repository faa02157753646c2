import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createSelfSignedCertificate } from '#src/transport/self-signed.ts'

const dayMs = 24 * 3_600_000

/** Writes a self-signed ECDSA P-256 certificate for a host; every proxy serves the same. */
export async function writeCertificate(
  host: string,
  folder: string,
): Promise<{ certificateFile: string; keyFile: string }> {
  const { certificatePem, keyPem } = await createSelfSignedCertificate({
    commonName: host,
    names: [host],
    notBefore: new Date(Date.now() - dayMs),
    notAfter: new Date(Date.now() + 30 * dayMs),
  })
  const certificateFile = join(folder, 'site.crt')
  const keyFile = join(folder, 'site.key')
  writeFileSync(certificateFile, `${certificatePem}\n`)
  writeFileSync(keyFile, keyPem, { mode: 0o600 })
  return { certificateFile, keyFile }
}
