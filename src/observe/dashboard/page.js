// The dashboard: asks the API every two seconds and shows what it says. All data goes into the page
// as text nodes, never as markup.

const intervalMs = 2000
const rowsMax = 500
const ratePoints = 60

/** @type {Map<string, { total: number, errors: number }>} */
let lastCounts = new Map()
let lastAt = 0
/** @type {number[]} */
const rates = []
let filter = ''

const byId = (id) => document.getElementById(id)

function setText(id, text) {
  byId(id).textContent = text
}

/** A table row; a cell is a text, or [text, class]. */
function row(cells) {
  const tr = document.createElement('tr')
  for (const cell of cells) {
    const [text, className = ''] = Array.isArray(cell) ? cell : [cell]
    const td = document.createElement('td')
    td.textContent = String(text)
    td.className = className
    tr.append(td)
  }
  return tr
}

function fill(id, rows, empty, columns) {
  const body = byId(id).tBodies[0]
  if (rows.length > 0) {
    body.replaceChildren(...rows)
    return
  }
  const tr = row([[empty, 'muted']])
  tr.firstChild.colSpan = columns
  body.replaceChildren(tr)
}

function number(value) {
  if (value >= 100 || Number.isInteger(value)) return Math.round(value).toLocaleString('en')
  return value.toFixed(value < 10 ? 2 : 1)
}

function showStatus(status) {
  const ready = byId('ready')
  const [text, className] = readiness(status)
  ready.textContent = text
  ready.className = `badge ${className}`
  const sources = status.sources.map(
    ({ kind, name, objects }) => `${kind} ${name} (${objects} objects)`,
  )
  setText('summary', [`version ${status.version}`, ...sources].join(' · '))
  setText('table', number(status.table))
  const { running, restarts } = status.controlPlane
  const restarted = sum(Object.values(restarts))
  setText('control-plane', `control plane ${running ? 'up' : 'down'}, ${restarted} restarts`)
  setText('in-flight', number(sum(status.workers.map((worker) => worker.requestsInFlight))))
  setText(
    'connections',
    `${number(sum(status.workers.map((worker) => worker.connections)))} connections`,
  )
  const { error, warning, info } = status.diagnostics
  setText('findings', number(error + warning + info))
  setText('findings-note', `${error} errors, ${warning} warnings, ${info} notes`)
  fill('workers', status.workers.map(workerRow), 'none', 6)
}

function readiness({ ready, draining }) {
  if (ready) return ['ready', 'good']
  return draining ? ['draining', 'warn'] : ['not ready', 'bad']
}

function workerRow({ id, state, table, connections, requestsInFlight, restarts }) {
  const restarted = sum(Object.values(restarts))
  return row([
    id,
    [state, state === 'running' ? 'good' : 'warn'],
    [table, 'number'],
    [number(connections), 'number'],
    [number(requestsInFlight), 'number'],
    [restarted, restarted > 0 ? 'number warn' : 'number'],
  ])
}

const severityClass = { error: 'bad', warning: 'warn', info: 'muted' }

function showDiagnostics(findings) {
  setText(
    'diagnostics-count',
    findings.length > rowsMax ? `the first ${rowsMax} of ${findings.length}` : '',
  )
  const rows = findings.slice(0, rowsMax).map(({ severity, object, field, message, file }) => {
    const { kind, namespace, name } = object
    const where = [kind, [namespace, name].filter(Boolean).join('/')].filter(Boolean).join(' ')
    return row([[severity, severityClass[severity] ?? ''], where || file, field, message])
  })
  fill('diagnostics', rows, 'none: everything that the objects ask for is in force', 4)
}

function showRoutes(routes, seconds) {
  let total = 0
  let errors = 0
  const counts = new Map()
  const rows = []
  let shown = 0
  for (const route of routes) {
    const key = JSON.stringify([route.host, route.path, route.pathType, route.object])
    const now = { total: sum(Object.values(route.responses)), errors: route.responses['5xx'] ?? 0 }
    const before = lastCounts.get(key) ?? (lastAt === 0 ? now : { total: 0, errors: 0 })
    counts.set(key, now)
    // A count that fell belongs to a route that was made anew.
    const rate = Math.max(0, now.total - before.total) / seconds
    const errorRate = Math.max(0, now.errors - before.errors) / seconds
    total += rate
    errors += errorRate
    if (!matches(route)) continue
    shown++
    if (rows.length < rowsMax) rows.push(routeRow(route, rate, errorRate))
  }
  lastCounts = counts
  const some = shown > rowsMax ? `the first ${rowsMax} of ${shown}` : `${shown} of ${routes.length}`
  setText('routes-count', some)
  fill('routes', rows, 'none', 7)
  if (lastAt > 0) showRate(total, errors)
}

function showRate(total, errors) {
  rates.push(total)
  if (rates.length > ratePoints) rates.shift()
  setText('rate', number(total))
  setText('errors', number(errors))
  byId('errors').className = errors > 0 ? 'bad' : ''
  setText(
    'errors-note',
    total > 0 ? `${number((100 * errors) / total)} % of requests` : 'per second',
  )
  const top = Math.max(1, ...rates)
  const points = rates.map((rate, i) => `${(120 * i) / (ratePoints - 1)},${27 - (26 * rate) / top}`)
  byId('rate-line').firstElementChild.setAttribute('points', points.join(' '))
}

/** What is served below HTTP, where there are no paths and no requests. */
const streamNames = { tcp: 'TCP', 'tls-passthrough': 'TLS, passed through' }
const noRates = [
  ['–', 'number muted'],
  ['–', 'number muted'],
]

function routeRow({ host, path, pathType, object, backends }, rate, errorRate) {
  const stream = streamNames[pathType]
  const ready = sum(backends.map(({ endpoints }) => endpoints.ready))
  const out = sum(backends.map(({ endpoints }) => endpoints.ejected + endpoints.draining))
  const services = backends.map(({ service, weight }) =>
    backends.length > 1 ? `${service} (${weight})` : service,
  )
  return row([
    host || '(any other)',
    stream === undefined ? path || '(default)' : [stream, 'muted'],
    `${object.namespace}/${object.name}`,
    services.join(', ') || '(none)',
    [out > 0 ? `${ready} (${out} out)` : ready, ready === 0 ? 'number bad' : 'number'],
    ...(stream === undefined ? ratesOf(rate, errorRate) : noRates),
  ])
}

function ratesOf(rate, errorRate) {
  return [
    [number(rate), 'number'],
    [number(errorRate), errorRate > 0 ? 'number bad' : 'number'],
  ]
}

function matches({ host, path, pathType, object, backends }) {
  if (filter === '') return true
  const words = [
    host,
    streamNames[pathType] ?? path,
    object.namespace,
    object.name,
    ...backends.map(({ service }) => service),
  ]
  return words.join(' ').toLowerCase().includes(filter)
}

function sum(values) {
  return values.reduce((total, value) => total + value, 0)
}

async function ask(path) {
  const response = await fetch(path, { cache: 'no-store' })
  if (!response.ok) throw new Error(`${path}: ${response.status}`)
  return await response.json()
}

async function refresh() {
  try {
    const [status, diagnostics, routes] = await Promise.all([
      ask('api/status'),
      ask('api/diagnostics'),
      ask('api/routes'),
    ])
    const now = performance.now()
    showStatus(status)
    showDiagnostics(diagnostics)
    showRoutes(routes, lastAt === 0 ? 1 : (now - lastAt) / 1000)
    lastAt = now
  } catch {
    const ready = byId('ready')
    ready.textContent = 'no answer'
    ready.className = 'badge bad'
  }
  setTimeout(() => void refresh(), intervalMs)
}

byId('filter').addEventListener('input', ({ target }) => {
  filter = target.value.trim().toLowerCase()
})
void refresh()
