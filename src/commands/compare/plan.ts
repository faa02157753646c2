import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { ownPrefix } from '#src/annotations/annotated.ts'
import { errorText } from '#src/observe/log.ts'
import type { Ingress } from '#src/snapshot/objects.ts'
import { CommandError } from '../command.ts'
import type { FlagValues } from '../flags.ts'
import { readManifests } from '../manifests.ts'
import { chooseMovers } from '../migrate/classes.ts'
import { compileSettingsOf } from '../settings.ts'
import { logRequest, readLogLine } from './log-requests.ts'
import { requestKey, safeMethods } from './planned-request.ts'
import type { PlannedRequest } from './planned-request.ts'
import { ruleRequests } from './rule-requests.ts'
import { upstreamHosts } from './upstream-hosts.ts'

/** The requests to send, and why others are not among them. */
export interface Plan {
  /** At most `count` of them. */
  readonly requests: readonly PlannedRequest[]
  readonly planned: number
  readonly leftOut: ReadonlyMap<string, number>
}

/** Requests from an access log where one is named, else from the rules of Ingresses. */
export async function planRequests(
  operands: readonly string[],
  values: FlagValues,
  countMax: number,
): Promise<Plan> {
  const settings = compileSettingsOf(values)
  const { objects, diagnostics } = await readManifests(operands)
  const broken = diagnostics.find(({ code }) => code === 'file-unreadable')
  if (broken !== undefined) throw new CommandError(`${broken.file} ${broken.message}`)
  const movers = chooseMovers(objects, settings).objects
  const ingresses = movers.filter((object): object is Ingress => object.kind === 'Ingress')
  if (values['access-log'] !== undefined) {
    return await planFromLog(values['access-log'], ingresses, values, countMax)
  }
  const requests = ruleRequests(ingresses, [ownPrefix, settings.annotationsPrefix])
  return { requests: requests.slice(0, countMax), planned: requests.length, leftOut: new Map() }
}

/** Each request once, in the order of the log, until there are enough. */
async function planFromLog(
  file: string,
  ingresses: readonly Ingress[],
  values: FlagValues,
  countMax: number,
): Promise<Plan> {
  const hostOfUpstream = upstreamHosts(ingresses)
  const leftOut = new Map<string, number>()
  const leave = (reason: string): void => {
    leftOut.set(reason, (leftOut.get(reason) ?? 0) + 1)
  }
  const requests = new Map<string, PlannedRequest>()
  let number = 0
  for await (const line of linesOf(file)) {
    number++
    if (line === '') continue
    const logged = readLogLine(line)
    if (logged === undefined) {
      leave('the line cannot be read')
      continue
    }
    const host = logged.host || hostOfUpstream(logged.upstream, logged.target) || values.host || ''
    if (host === '') leave('the log does not say for which host: give --host or the Ingresses')
    else if (!safeMethods.has(logged.method) && values.unsafe !== true) {
      leave(`${logged.method} may change something: --unsafe sends it, without a body`)
    } else {
      const request = logRequest(logged, host, number)
      const key = requestKey(request)
      if (requests.has(key)) leave('asked already')
      else requests.set(key, request)
    }
    if (requests.size >= countMax) break
  }
  return { requests: [...requests.values()], planned: requests.size, leftOut }
}

async function* linesOf(file: string): AsyncGenerator<string> {
  const input = file === '-' ? process.stdin : createReadStream(file)
  try {
    yield* createInterface({ input, crlfDelay: Infinity })
  } catch (error) {
    throw new CommandError(`--access-log cannot be read: ${errorText(error)}`)
  }
}
