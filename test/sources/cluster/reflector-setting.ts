import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { createApiClient } from '#src/kubernetes/api-client.ts'
import { emptyCounters } from '#src/sources/cluster/counters.ts'
import { Reflector } from '#src/sources/cluster/reflector.ts'
import { allOf } from '#src/sources/cluster/resources.ts'
import type { ServerOptions } from 'node:https'
import { ScriptedApiServer } from '#test/support/api-server.ts'
import { ManualTime } from '../manual-time.ts'
import { Happenings } from './happenings.ts'

export interface Setting {
  readonly server: ScriptedApiServer
  readonly time: ManualTime
  readonly reflector: Reflector<string>
  readonly counters: ReturnType<typeof emptyCounters>
  /** Names and values as delivered. */
  readonly view: Map<string, string>
  /** Every delivery, as text. */
  readonly deliveries: string[]
  readonly until: (condition: () => boolean) => Promise<void>
  /** Lets time pass until the condition holds. */
  readonly pass: (stepMs: number, condition: () => boolean) => Promise<void>
}

/** How the reflector gets to its server. */
export interface Access {
  readonly tls?: ServerOptions
  readonly cluster?: Record<string, unknown>
  readonly user?: Record<string, unknown>
  readonly proxies?: Readonly<Record<string, string>>
  /** Its chance; 0 makes every rest the shortest. */
  readonly random?: () => number
}

/** A reflector that has its first view. */
export async function start(
  t: TestContext,
  prepare: (server: ScriptedApiServer) => void,
  access: Access = {},
) {
  const setting = await create(t, prepare, access)
  setting.reflector.start()
  await setting.until(() => setting.reflector.synced)
  return setting
}

/** A reflector that is not started yet, and a server for it. */
export async function create(
  t: TestContext,
  prepare: (server: ScriptedApiServer) => void,
  { tls, proxies, random = () => 0, ...config }: Access = {},
): Promise<Setting> {
  const server = new ScriptedApiServer(tls)
  await server.listen()
  t.after(() => {
    server.close()
  })
  prepare(server)
  const file = server.kubeconfig(t, config)
  const time = new ManualTime()
  const client = await createApiClient({
    cluster: { files: [file], context: '', ...(proxies && { proxies }) },
    userAgent: 'headgate/test',
    now: time.now,
  })
  t.after(async () => {
    await client.close()
  })
  const happenings = new Happenings()
  const counters = emptyCounters()
  const view = new Map<string, string>()
  const deliveries: string[] = []
  const reflector = new Reflector<string>({
    client,
    target: allOf('ConfigMap', ''),
    timing: { now: time.now, random, schedule: time.schedule },
    counters,
    project: ({ name, body }) => {
      const text = String(body['value'])
      return text === 'unusable' ? undefined : `${name}=${text}`
    },
    onChange: ({ put, deleted }) => {
      for (const key of deleted) view.delete(key.slice(key.indexOf('/') + 1))
      for (const item of put) view.set(...(item.split('=') as [string, string]))
      deliveries.push([...put, ...deleted.map((key) => `-${key}`)].join(' '))
      happenings.note()
    },
    onState: () => {
      happenings.note()
    },
  })
  server.onHappening = () => {
    happenings.note()
  }
  t.after(async () => {
    await reflector.stop()
  })
  const until = async (condition: () => boolean): Promise<void> => {
    await happenings.until(condition)
  }
  const pass = async (stepMs: number, condition: () => boolean): Promise<void> => {
    // A rest that begins while we look is passed in the next step.
    for (let step = 0; step < 10_000 && !condition(); step++) {
      time.advance(stepMs)
      await new Promise((resolve) => setImmediate(resolve))
    }
    assert.ok(condition(), 'time passed and nothing came of it')
  }
  return { server, time, reflector, counters, view, deliveries, until, pass }
}

export const put = (server: ScriptedApiServer, name: string, value: string): void => {
  server.put({ kind: 'ConfigMap', metadata: { name, namespace: 'n' }, value })
}
export const remove = (server: ScriptedApiServer, name: string): void => {
  server.delete('ConfigMap', 'n', name)
}
export const three = (server: ScriptedApiServer): void => {
  for (const name of ['a', 'b', 'c']) put(server, name, '1')
}
export const shown = ({ view }: Setting): string =>
  [...view]
    .map(([name, value]) => `${name}${value}`)
    .toSorted()
    .join(' ')
