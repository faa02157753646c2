import { connect } from 'node:net'
import type { CommandContext } from './command.ts'
import { CommandError } from './command.ts'
import { createController, defaultPorts } from './compare/ask.ts'
import type { Controller } from './compare/ask.ts'
import { usualFields } from './compare/difference.ts'
import type { Yardstick } from './compare/difference.ts'
import { planRequests } from './compare/plan.ts'
import { runComparison } from './compare/run-comparison.ts'
import { comparisonJson, comparisonText } from './compare/text.ts'
import type { FlagValues } from './flags.ts'
import { UsageError } from './parse-flags.ts'
import { createProgress } from './progress.ts'

/** Requests that are sent, unless `--count` says otherwise. */
const defaultCount = 1000
/** At once to each controller: a running one in production must hardly notice. */
const defaultConcurrency = 4
const defaultTimeoutMs = 10_000
const connectTimeoutMs = 5000

/**
 * `headgate compare --old URL --new URL FILES…`: asks two controllers the same and says what they
 * answer differently. Exit code 1 when they do.
 */
export async function compare(context: CommandContext): Promise<number> {
  const { operands, values, write, writeError } = context
  const { old: oldUrl, new: newUrl } = values
  if (oldUrl === undefined || newUrl === undefined) {
    throw new UsageError('compare needs --old URL and --new URL')
  }
  if (operands.length === 0 && values['access-log'] === undefined) {
    throw new UsageError('compare needs the files of the Ingresses, or --access-log FILE')
  }
  const { planned, leftOut, requests } = await planRequests(
    operands,
    values,
    values.count ?? defaultCount,
  )
  const concurrency = values.concurrency ?? defaultConcurrency
  const timeoutMs = values['request-timeout'] ?? defaultTimeoutMs
  const asking = { connections: concurrency, timeoutMs, extraFields: (values.header ?? []).flat() }
  const controllers = {
    old: createController(oldUrl, asking),
    new: createController(newUrl, asking),
  }
  try {
    await Promise.all([reach(controllers.old, 'old'), reach(controllers.new, 'new')])
    const comparison = await runComparison(
      controllers,
      requests,
      yardstickOf(values, { old: oldUrl.port, new: newUrl.port }),
      { concurrency, progress: createProgress(writeError) },
    )
    const report = { ...comparison, planned, leftOut, scheme: newUrl.protocol }
    await write(values.output === 'json' ? comparisonJson(report) : comparisonText(report))
    return comparison.differing.length > 0 ? 1 : 0
  } finally {
    controllers.old.close()
    controllers.new.close()
  }
}

function yardstickOf(values: FlagValues, ports: Yardstick['ports']): Yardstick {
  const names = values['compare-header']?.map((name) => name.toLowerCase()) ?? usualFields
  return {
    names,
    echo: values.echo === true,
    ignored: new Set(values.ignore?.map((name) => name.toLowerCase())),
    ports,
  }
}

/** One clear line when nobody listens, before a thousand failures say the same. */
async function reach({ url }: Controller, flag: string): Promise<void> {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const port = Number(url.port || defaultPorts[url.protocol])
  await new Promise<void>((resolve, reject) => {
    const socket = connect({ host, port, timeout: connectTimeoutMs }, () => {
      socket.destroy()
      resolve()
    })
    const fail = (reason: string): void => {
      socket.destroy()
      reject(new CommandError(`--${flag} ${url.origin} cannot be reached: ${reason}`))
    }
    socket.on('timeout', () => {
      fail('no answer in time')
    })
    socket.on('error', ({ code }: NodeJS.ErrnoException) => {
      fail(code ?? 'failed')
    })
  })
}
