import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createSelfSignedCertificate } from '#src/transport/self-signed.ts'
import type { CommandContext } from './command.ts'
import { Backends } from './demo/backends.ts'
import { copyManifests, writeSecret } from './demo/manifests.ts'
import { freePorts } from './demo/ports.ts'
import { tourText } from './demo/tour.ts'
import type { FlagValues } from './flags.ts'
import { UsageError } from './parse-flags.ts'
import { serve } from './serve.ts'

const examples = fileURLToPath(new URL('../../deploy/examples/demo', import.meta.url))
const drainTimeoutMs = 2000
const dayMs = 24 * 3_600_000
const certificateDays = 30

/** `headgate demo`: serves deploy/examples/demo, with servers of its own behind it, until Ctrl-C. */
export async function demo(context: CommandContext): Promise<number> {
  const wishes = wishedPorts(context.values)
  const folder = mkdtempSync(join(tmpdir(), 'headgate-demo-'))
  const backends = new Backends()
  const ended = new AbortController()
  try {
    await copyManifests(examples, folder, async (name) => await backends.start(name))
    await writeCertificate(folder, 'account.localhost')
    const { http, https, admin } = await freePorts(wishes)
    const places = { httpPort: http.port, httpsPort: https.port, adminPort: admin.port, folder }
    const moved = [http, https, admin]
      .filter(({ port, wished }) => port !== wished)
      .map(({ port, wished }) => `Port ${wished} is taken: ${port} is used instead.`)
    const serving = serve({
      ...context,
      values: {
        'log-format': 'text',
        'log-level': 'warn',
        'drain-timeout': drainTimeoutMs,
        'bind-address': ['127.0.0.1'],
        ...context.values,
        files: folder,
        'http-port': http.port,
        'https-port': https.port,
        'admin-port': admin.port,
      },
    })
    const announced = announce(context, admin.port, tourText(places, moved), ended.signal)
    const code = await serving
    ended.abort()
    await announced
    return code
  } finally {
    ended.abort()
    await backends.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A new key each time: none lies in the repository. */
async function writeCertificate(folder: string, name: string): Promise<void> {
  const certificate = await createSelfSignedCertificate({
    commonName: name,
    names: [name],
    notBefore: new Date(Date.now() - dayMs),
    notAfter: new Date(Date.now() + certificateDays * dayMs),
  })
  writeSecret(folder, { namespace: 'shop', name: 'account-tls' }, certificate)
}

function wishedPorts(values: FlagValues): Record<'http' | 'https' | 'admin', number> {
  const wishes = {
    http: values['http-port'] ?? 8080,
    https: values['https-port'] ?? 8443,
    admin: values['admin-port'] ?? 9180,
  }
  if (Object.values(wishes).includes(0)) throw new UsageError('the demo needs all three ports')
  return wishes
}

/** Prints the tour as soon as everything answers; nothing when serving ends before. */
async function announce(
  context: CommandContext,
  adminPort: number,
  text: string,
  ended: AbortSignal,
): Promise<void> {
  while (!ended.aborted) {
    if (await isReady(adminPort)) {
      await context.write(text)
      return
    }
    await delay(50)
  }
}

async function isReady(adminPort: number): Promise<boolean> {
  try {
    const answer = await fetch(`http://127.0.0.1:${adminPort}/readyz`)
    await answer.arrayBuffer()
    return answer.status === 200
  } catch {
    return false
  }
}
