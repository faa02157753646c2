import type { TestContext } from 'node:test'
import { createApiClient } from '#src/kubernetes/api-client.ts'
import { createLogger } from '#src/observe/log.ts'
import { Store } from '#src/snapshot/store.ts'
import { ClusterSource } from '#src/sources/cluster/cluster-source.ts'
import type { ClusterScope } from '#src/sources/cluster/scope.ts'
import { answerStatus, ScriptedApiServer } from '#test/support/api-server.ts'
import type { Asked, Draft } from '#test/support/api-server.ts'
import { ManualTime } from '../manual-time.ts'
import { Happenings } from './happenings.ts'

export const limits = { timeout: 60_000 }
const everywhere: ClusterScope = {
  namespaces: [],
  namespaceLabels: false,
  ingressClass: 'headgate',
  defaultBackend: undefined,
}

export const secret = (name: string, value: string, more: object = {}): Draft => ({
  kind: 'Secret',
  metadata: { name, namespace: 'n' },
  type: 'kubernetes.io/tls',
  data: { 'tls.crt': Buffer.from(value).toString('base64') },
  ...more,
})
export const ingress = (name: string, namespace = 'n'): Draft => ({
  kind: 'Ingress',
  metadata: { name, namespace },
  spec: {},
})
export const names = (...list: string[]) => list.map((name) => ({ namespace: 'n', name }))
export const many = (count: number): string[] => Array.from({ length: count }, (_, i) => `s${i}`)

/** A source over a scripted API server, on a clock of the test's. */
export async function create(
  t: TestContext,
  prepare: (server: ScriptedApiServer) => void,
  scope: Partial<ClusterScope> = {},
  more: { readonly namedBytesMax?: number } = {},
) {
  const server = new ScriptedApiServer()
  await server.listen()
  t.after(() => {
    server.close()
  })
  prepare(server)
  const client = await createApiClient({
    cluster: { files: [server.kubeconfig(t)], context: '' },
    userAgent: 'headgate/test',
  })
  const happenings = new Happenings()
  const time = new ManualTime()
  const store = new Store()
  const logged: string[] = []
  const source = new ClusterSource({
    ...more,
    client,
    scope: { ...everywhere, ...scope },
    owner: {
      onChange: ({ put, deleted }) => {
        for (const { kind, namespace, name } of deleted) store.delete(kind, namespace, name)
        for (const object of put) store.put(object)
        happenings.note()
      },
    },
    log: createLogger({
      format: 'text',
      level: 'info',
      now: () => 0,
      write: (l) => logged.push(l),
    }),
    timing: { now: time.now, random: () => 0, schedule: time.schedule },
  })
  server.onHappening = () => {
    happenings.note()
  }
  t.after(async () => {
    await source.stop()
  })
  const until = async (condition: () => boolean): Promise<void> => {
    await happenings.until(condition)
  }
  /** Lets time pass until the work is done. */
  const pass = async <Result>(work: Promise<Result>): Promise<Result> => {
    const state = { done: false }
    const watched = work.finally(() => (state.done = true))
    for (let step = 0; step < 20_000 && !state.done; step++) {
      time.advance(100)
      await new Promise((resolve) => setImmediate(resolve))
    }
    return await watched
  }
  const want = (...list: string[]) => source.want({ secrets: names(...list), configMaps: [] })
  const valueOf = (name: string) => store.get('Secret', 'n', name)?.data['tls.crt']
  return { server, source, store, time, logged, until, pass, want, valueOf }
}

export const codes = (source: ClusterSource): string[] =>
  source.diagnostics.map(({ code, message }) => `${code}: ${message}`)
export const refuse =
  (refused: (asked: Asked) => boolean) =>
  (asked: Asked): boolean => {
    if (!refused(asked)) return false
    answerStatus(asked, 403, 'Forbidden', 'not allowed')
    return true
  }
