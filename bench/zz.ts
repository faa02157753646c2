import { startAll, stopAll, withSite } from './compare/setting.ts'
import { findBuilds } from './compare/builds.ts'
import { readOptions } from './compare/options.ts'
import { readCpu } from './compare/cpu.ts'
import { load } from './compare/load.ts'
import { workloads } from './compare/workloads.ts'
const o = readOptions(['--without','envoy'])
const { builds } = await findBuilds(o)
await withSite(o, async (site) => {
  const ps = await startAll(builds.filter(b => b.kind !== 'headgate'), site, false)
  for (const p of ps) {
    const b = readCpu(p.pid); const r = await load(workloads[0]!, {host: site.host, port: p.httpPort, seconds: 3, cores: o.loadCores, folder: site.folder}); const a = readCpu(p.pid)
    for (const [pid, s] of a) { const t = b.get(pid)!; console.log(p.build.label, pid, 'threads', [...s.threads.values()].reduce((x,y)=>x+y,0) - [...t.threads.values()].reduce((x,y)=>x+y,0), 'whole', s.wholeNs - t.wholeNs, r.requests) }
  }
  for (const tool of ['h2load','autocannon']) { for (const w of workloads.slice(0,4)) { process.env['PATH'] = tool === 'h2load' ? '/tmp/hb/bin1' : '/tmp/hb/bin2'; const p = ps[0]!; console.log(tool, w.id, await load(w, {host: site.host, port: w.tls ? p.httpsPort : p.httpPort, seconds: 1, cores: o.loadCores, folder: site.folder})) } }
  { const w = workloads[5]!; const p = ps[0]!; console.log(w.id, await load(w, {host: site.host, port: p.httpPort, seconds: 1, cores: o.loadCores, folder: site.folder})) }
  await stopAll(ps)
})
