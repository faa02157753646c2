import type { Diagnostics } from '#src/annotations/diagnostics.ts'
import type { ErrorPages, Rule } from '#src/table/table.ts'
import { reportOn, reportOnMissing } from './findings.ts'
import type { ParsedRoute } from './ingress.ts'
import type { Options } from './options.ts'
import { noServiceValues, useOf } from './backend-use.ts'
import type { RuleContext } from './rules.ts'
import type { Target } from './services/backends.ts'
import type { RoutingValues } from './values/routing.ts'

type Part = Pick<Rule, 'errorPages'>

/** The error pages of a route. `fallback`: the target of its `default-backend`. */
export function errorPagesOf(
  { backend }: ParsedRoute,
  fallback: Target | undefined,
  context: RuleContext,
  diagnostics: Diagnostics,
): Part {
  const { parsed, options, lastTarget } = context
  const targets = [fallback, lastTarget].filter((target) => target !== undefined)
  const part = errorPages(parsed.routing, targets, options, {
    service: 'service' in backend ? backend.service.name : '',
    servicePort: 'service' in backend ? String(backend.service.port) : '',
  })
  if (part.errorPages !== undefined && targets.length === 0) reportNoPages(context, diagnostics)
  return part
}

/** The error pages of the rule for everything else, whose upstream is the one that is asked for them. */
export function defaultErrorPages(target: Target, options: Options): Part {
  return errorPages(options.routing, [target], options, { service: '', servicePort: '' })
}

function errorPages(
  values: RoutingValues,
  targets: readonly Target[],
  options: Options,
  named: Pick<ErrorPages, 'service' | 'servicePort'>,
): Part {
  const statuses = [...new Set(values['custom-http-errors'])].toSorted((a, b) => a - b)
  if (statuses.length === 0) return {}
  return {
    errorPages: {
      statuses,
      intercept: !values['disable-proxy-intercept-errors'],
      uses: targets.map((target) => useOf(target, { options, serviceValues: noServiceValues }, {})),
      ...named,
    },
  }
}

function reportNoPages({ parsed, settings }: RuleContext, diagnostics: Diagnostics): void {
  const written = parsed.texts.get('custom-http-errors')?.key
  const message =
    'names no default-backend and there is no --default-backend-service, so that all these answers become 404, as in ingress-nginx'
  if (written !== undefined) {
    reportOn(parsed.ingress, diagnostics)('annotation-differs', written, message)
  } else if (settings.configMap !== undefined) {
    const report = reportOnMissing('ConfigMap', settings.configMap, diagnostics)
    report('option-differs', 'custom-http-errors', message)
  }
}
