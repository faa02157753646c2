import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isMap, parseAllDocuments, stringify } from 'yaml'

/**
 * Copies manifests into a folder of our own. Each EndpointSlice gets the port of the server that
 * `startServer` starts for it; everything else, comments included, stays as it is.
 */
export async function copyManifests(
  from: string,
  to: string,
  startServer: (name: string) => Promise<number>,
): Promise<void> {
  mkdirSync(to, { recursive: true })
  for (const file of readdirSync(from).toSorted()) {
    if (!file.endsWith('.yaml')) continue
    const documents = parseAllDocuments(readFileSync(join(from, file), 'utf8'))
    for (const document of documents) {
      if (!isMap(document.contents) || document.get('kind') !== 'EndpointSlice') continue
      const name = String(document.getIn(['metadata', 'name']))
      document.setIn(['ports', 0, 'port'], await startServer(name))
    }
    writeFileSync(join(to, file), documents.map(String).join(''))
  }
}

/** Writes a TLS Secret into the folder. */
export function writeSecret(
  folder: string,
  metadata: { readonly namespace: string; readonly name: string },
  { certificatePem, keyPem }: { readonly certificatePem: string; readonly keyPem: string },
): void {
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata,
    type: 'kubernetes.io/tls',
    data: {
      'tls.crt': Buffer.from(certificatePem).toString('base64'),
      'tls.key': Buffer.from(keyPem).toString('base64'),
    },
  }
  writeFileSync(join(folder, `${metadata.name}.yaml`), stringify(secret), { mode: 0o600 })
}
