import { isAuthority } from '#src/exchange/authority.ts'
import { policy } from './policy-definition.ts'
import { CONTINUE } from './policy.ts'
import { renderTemplate, templateType } from './template.ts'
import type { Template } from './template.ts'

/** The Host that the upstream sees. */
export interface UpstreamHostConfig {
  readonly host: Template
}

/** Replaces Host towards the upstream; what the client asked for stays in X-Forwarded-Host. */
export const upstreamHost = policy({
  annotations: {
    'upstream-vhost': {
      type: templateType('a host name, with or without port and variables', {
        shape: /^[-\w.:[\]${}]+$/,
      }),
      default: [] as Template,
      doc: 'Host as the upstream sees it.',
      example: 'internal.example.com',
      risk: 'low',
      scope: 'path',
      compatibility: 'same',
    },
  },
  options: {},

  configure(values): UpstreamHostConfig | undefined {
    const host = values['upstream-vhost']
    return host.length === 0 ? undefined : { host }
  },

  start({ host }) {
    return {
      requestHead(exchange) {
        const authority = renderTemplate(host, exchange)
        // A variable may bring what is no authority, and a second Host line must never come of it.
        if (isAuthority(authority)) exchange.setAuthority(authority)
        return CONTINUE
      },
    }
  },
})
