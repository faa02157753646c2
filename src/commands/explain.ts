import { explain as explainRequest, explanationText, requestOf } from '#src/workers/explain.ts'
import type { Explanation } from '#src/workers/explain.ts'
import type { CommandContext } from './command.ts'
import { askInstance } from './instance.ts'
import { compileFolder } from './manifests.ts'
import { UsageError } from './parse-flags.ts'
import { compileSettingsOf } from './settings.ts'

/** `headgate explain URL`: from a folder, or from a running instance. */
export async function explain(context: CommandContext): Promise<number> {
  const { operands, values, write, writeError } = context
  const [url, ...rest] = operands
  if (url === undefined || rest.length > 0) throw new UsageError('explain needs one URL')
  const { method = 'GET', header: headers = [] } = values
  const request = requestOf(url, method, headers)
  if (request === undefined) {
    throw new UsageError(
      `explain needs a full URL, http://… or https://…, got ${JSON.stringify(url)}`,
    )
  }
  if (values.files !== undefined) {
    const { table } = await compileFolder(values.files, compileSettingsOf(values), writeError)
    await write(explanationText(explainRequest(table, request, () => undefined)))
    return 0
  }
  const query = new URLSearchParams({ method, url })
  for (const [name, value] of headers) query.append('header', `${name}:${value}`)
  const explanation = (await askInstance(
    context,
    `/api/explain?${query.toString()}`,
  )) as Explanation
  await write(explanationText(explanation))
  return 0
}
