/** What an upstream says that it saw: names in lower case, with the section they stand in. */
export type Echo = ReadonlyMap<string, string>

const entriesMax = 1000
const depthMax = 8

/** Names that differ between any two requests, whatever stands between client and upstream. */
const restless: ReadonlySet<string> = new Set(
  `x-request-id x-req-id request_id requestid date time timestamp hostname pod podname pod_name node
  nodename node_name ip client_address remote_addr remoteaddr remote_port clientport connection-id
  traceparent tracestate x-b3-traceid x-b3-spanid age uptime duration`.split(/\s+/),
)

/**
 * Reads the answer of an echo server: JSON of any shape, or lines of `name=value` and `Name: value`
 * under titles that end in a colon. Undefined: it is neither.
 */
export function readEcho(body: string, ignored: ReadonlySet<string>): Echo | undefined {
  const found = new Map<string, string>()
  const add = (path: readonly string[], value: string): void => {
    const name = path.at(-1) ?? ''
    if (found.size >= entriesMax || restless.has(name) || ignored.has(name)) return
    found.set(path.join('.'), value)
  }
  if (/^\s*[{[]/.test(body)) {
    try {
      flatten(JSON.parse(body), [], add)
    } catch {
      return undefined
    }
  } else {
    readLines(body, add)
  }
  return found.size < 2 ? undefined : found
}

type Add = (path: readonly string[], value: string) => void

function flatten(value: unknown, path: readonly string[], add: Add): void {
  if (path.length > depthMax) return
  if (Array.isArray(value) && value.every((item) => typeof item !== 'object')) {
    add(path, value.map(String).join(', '))
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, member] of Object.entries(value)) {
      flatten(member, [...path, name.toLowerCase()], add)
    }
  } else {
    add(path, String(value))
  }
}

function readLines(body: string, add: Add): void {
  let section: readonly string[] = []
  for (const line of body.split('\n', entriesMax)) {
    const title = /^(\S[^=:]{0,62}):\s*$/.exec(line)?.[1]
    if (title !== undefined) section = [title.toLowerCase()]
    const [, name, value] = /^\s*([^=:\s][^=:]{0,62}?)\s*[=:]\s*(\S.*?)\s*$/.exec(line) ?? []
    if (name !== undefined && value !== undefined) add([...section, name.toLowerCase()], value)
  }
}
