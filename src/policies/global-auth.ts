import type { OptionTable, Setting } from '#src/annotations/schema.ts'
import { quote } from '#src/annotations/schema.ts'
import type { ValueType } from '#src/annotations/types.ts'
import { externalAuthAnnotations } from './external-auth-annotations.ts'
import type { CacheDuration, ExternalAuthValues } from './external-auth-annotations.ts'
import type { Template } from './template.ts'

/** A value, or what is wrong with it: external authentication that cannot be read must not be left out. */
export type Checked<Value> = { readonly value: Value } | { readonly problem: string }

/** External authentication of every route, by the ConfigMap. */
export interface GlobalAuthOptions {
  'global-auth-url': Checked<string>
  'global-auth-method': Checked<ExternalAuthValues['auth-method']>
  'global-auth-signin': Checked<Template>
  'global-auth-signin-redirect-param': string
  'global-auth-response-headers': Checked<readonly string[]>
  'global-auth-request-redirect': Template
  'global-auth-cache-key': Template
  'global-auth-cache-duration': readonly CacheDuration[]
  'global-auth-always-set-cookie': boolean
}

function checked<Value>(type: ValueType<Value>): ValueType<Checked<Value>> {
  return {
    expects: type.expects,
    schema: type.schema,
    parse(text) {
      const value = type.parse(text)
      if (value !== undefined) return { value }
      return { problem: `must be ${type.expects}, got ${quote(text)}` }
    },
    format: (one) => ('value' in one ? type.format(one.value) : ''),
  }
}

/** The row of the annotation of the same meaning, as an option. */
function row<Value>({ type, default: preset, example }: Setting<Value>, doc: string) {
  return { type, default: preset, example, doc, compatibility: 'same' as const }
}

function checkedRow<Value>(setting: Setting<Value>, doc: string) {
  const { type, default: preset } = setting
  return { ...row(setting, doc), type: checked(type), default: { value: preset } }
}

const own = externalAuthAnnotations

export const globalAuthOptions: OptionTable<GlobalAuthOptions> = {
  'global-auth-url': checkedRow(
    own['auth-url'],
    'As auth-url, for every route that has none of its own, but for those of Ingresses with enable-global-auth: false. If it is not valid, these routes answer 503.',
  ),
  'global-auth-method': checkedRow(own['auth-method'], 'Method of the request to global-auth-url.'),
  'global-auth-signin': checkedRow(
    own['auth-signin'],
    'Where clients are sent (302) when global-auth-url answers 401.',
  ),
  'global-auth-signin-redirect-param': row(
    own['auth-signin-redirect-param'],
    'Name of the parameter of global-auth-signin with the URL that was asked for.',
  ),
  'global-auth-response-headers': checkedRow(
    own['auth-response-headers'],
    "Fields of the answer of global-auth-url that the upstream gets in place of the client's.",
  ),
  'global-auth-request-redirect': row(
    own['auth-request-redirect'],
    'Value of X-Auth-Request-Redirect for global-auth-url.',
  ),
  'global-auth-cache-key': row(
    own['auth-cache-key'],
    'Keeps answers of global-auth-url by this key, which must tell clients apart.',
  ),
  'global-auth-cache-duration': row(
    own['auth-cache-duration'],
    'How long answers of global-auth-url are kept, by status.',
  ),
  'global-auth-always-set-cookie': row(
    own['auth-always-set-cookie'],
    "Gives the client the cookies of global-auth-url's answer whatever status the upstream answers.",
  ),
}

/**
 * The values of a route that global authentication holds for: as if its Ingress had written them.
 * Undefined: there is no global authentication. `deny` hears of values that are not valid.
 */
export function globalAuthValues(
  values: ExternalAuthValues,
  options: GlobalAuthOptions,
  deny: (key: string, problem: string) => void,
): ExternalAuthValues | undefined {
  const url = options['global-auth-url']
  const method = options['global-auth-method']
  const signIn = options['global-auth-signin']
  const fields = options['global-auth-response-headers']
  if ('value' in url && url.value === '') return undefined
  const checks = {
    'global-auth-url': url,
    'global-auth-method': method,
    'global-auth-signin': signIn,
    'global-auth-response-headers': fields,
  }
  const wrong = Object.entries(checks).filter(([, one]) => 'problem' in one)
  for (const [key, one] of wrong) if ('problem' in one) deny(key, one.problem)
  if (wrong.length > 0) return undefined
  return {
    ...values,
    'auth-url': valueOf(url, ''),
    'auth-method': valueOf(method, ''),
    'auth-signin': valueOf(signIn, []),
    'auth-signin-redirect-param': options['global-auth-signin-redirect-param'],
    'auth-response-headers': valueOf(fields, []),
    'auth-request-redirect': options['global-auth-request-redirect'],
    'auth-proxy-set-headers': '',
    'auth-cache-key': options['global-auth-cache-key'],
    'auth-cache-duration': options['global-auth-cache-duration'],
    'auth-always-set-cookie': options['global-auth-always-set-cookie'],
  }
}

function valueOf<Value>(one: Checked<Value>, preset: Value): Value {
  return 'value' in one ? one.value : preset
}
