import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { selfSigned } from '#src/commands/demo/self-signed.ts'

/** Writes a self-signed ECDSA P-256 certificate for a host; every proxy serves the same. */
export async function writeCertificate(
  host: string,
  folder: string,
): Promise<{ certificateFile: string; keyFile: string }> {
  const { certificatePem, keyPem } = await selfSigned([host], Date.now())
  const certificateFile = join(folder, 'site.crt')
  const keyFile = join(folder, 'site.key')
  writeFileSync(certificateFile, certificatePem)
  writeFileSync(keyFile, keyPem, { mode: 0o600 })
  return { certificateFile, keyFile }
}
