import type { Diagnostics } from '#src/annotations/diagnostics.ts'
import type { ClientCertificatesConfig } from '#src/policies/client-certificates.ts'
import { tupleKey } from '#src/table/keys.ts'
import type { Authorities, ClientCertificates } from '#src/table/table.ts'
import type { AuthoritiesLookup, ClientAuthorities } from './client-authorities.ts'
import { reportOn } from './findings.ts'
import { policyValues } from './ingress.ts'
import type { ParsedIngress } from './ingress.ts'
import { Memo } from './memo.ts'

/** What one host asks of its clients. */
export interface HostClients {
  /** For the handshake; undefined: no certificate is asked for. */
  readonly asked: ClientCertificates | undefined
  readonly authorities: Authorities | undefined
  /** For the policy of each rule. */
  readonly config: ClientCertificatesConfig
}

/** An Ingress that names CA certificates, and what came of that. */
interface Demand {
  readonly owner: ParsedIngress
  readonly found: AuthoritiesLookup
}

/** The client certificates of hosts, each decided once while its Ingresses and Secrets stay the same. */
export class ClientCertificateBinder {
  readonly #hosts = new Memo<HostClients>()
  readonly #secrets: ClientAuthorities

  constructor(secrets: ClientAuthorities) {
    this.#secrets = secrets
  }

  /**
   * What a host asks of its clients; undefined: nothing. `owners`: its Ingresses, oldest first. As in
   * ingress-nginx the first that names a usable Secret decides for the whole host, and one Ingress whose
   * Secret cannot be used closes it. `tls`: a TLS section names the host.
   */
  bind(
    host: string,
    { owners, tls }: { readonly owners: readonly ParsedIngress[]; readonly tls: boolean },
    diagnostics: Diagnostics,
  ): HostClients | undefined {
    const [first, ...more] = owners.flatMap((owner) => this.#demandOf(owner, diagnostics) ?? [])
    if (first === undefined) return undefined
    const demands: Demands = [first, ...more]
    reportReach(host, owners, demands, diagnostics)
    const inputs = demands.flatMap(({ owner, found }) => [owner, found])
    const clients = this.#hosts.get(host, inputs, () => decide(demands))
    if (clients.asked !== undefined && !owners.every((owner) => redirects(owner, tls))) {
      const { owner } = winnerOf(demands)
      const message = `nobody is asked for a certificate over plain HTTP, where routes of ${shownHost(host)} are served without a redirect to https`
      reportOn(owner.ingress, diagnostics)('annotation-differs', fieldOf(owner), message)
    }
    return clients
  }

  sweep(): void {
    this.#hosts.sweep()
    this.#secrets.sweep()
  }

  #demandOf(owner: ParsedIngress, diagnostics: Diagnostics): Demand | undefined {
    const reference = owner.references.find(({ by }) => by === 'host')
    if (reference === undefined) return undefined
    const report = reportOn(owner.ingress, diagnostics)
    const field = owner.texts.get(reference.key)?.key ?? reference.key
    if (reference.problem !== '') {
      report('client-authorities-unusable', field, reference.problem)
      return { owner, found: refused }
    }
    const found = this.#secrets.find(reference)
    if ('problem' in found) {
      const code = found.missing ? 'client-authorities-missing' : 'client-authorities-unusable'
      report(code, field, found.problem)
    }
    return { owner, found }
  }
}

type Demands = readonly [Demand, ...Demand[]]

const refused: AuthoritiesLookup = { missing: false, problem: 'it may not be used' }

function decide(demands: Demands): HostClients {
  const closed = demands.some(({ found }) => 'problem' in found)
  const winner = winnerOf(demands)
  const authorities = 'authorities' in winner.found ? winner.found.authorities : undefined
  const values = policyValues(winner.owner, 'client-certificates')
  const verify = values['auth-tls-verify-client']
  const depth = values['auth-tls-verify-depth']
  const asked =
    authorities === undefined || verify === 'off'
      ? undefined
      : { policy: tupleKey(authorities.key, verify, depth), authorities: authorities.key }
  return {
    asked,
    authorities,
    config: {
      closed,
      authorities: authorities?.key ?? '',
      verify,
      depth,
      errorPage: values['auth-tls-error-page'],
      subject: values['auth-tls-match-cn'],
      passCertificate: values['auth-tls-pass-certificate-to-upstream'],
    },
  }
}

/** Tells the owners of a host whose demands hold there: those of the oldest, and for all of its routes. */
function reportReach(
  host: string,
  owners: readonly ParsedIngress[],
  demands: Demands,
  diagnostics: Diagnostics,
): void {
  const shown = shownHost(host)
  const winner = winnerOf(demands)
  const wanted = demandText(winner.owner)
  for (const { owner } of demands) {
    if (owner === winner.owner || demandText(owner) === wanted) continue
    const { namespace, name } = winner.owner.ingress.metadata
    const message = `${shown} takes its demands from Ingress ${namespace}/${name}, which is older or comes first by name`
    reportOn(owner.ingress, diagnostics)('client-certificates-conflict', fieldOf(owner), message)
  }
  const others = owners.filter((owner) => demands.every((demand) => demand.owner !== owner))
  if (others.length === 0) return
  const names = others.slice(0, 5).map(({ ingress: { metadata } }) => {
    return `${metadata.namespace}/${metadata.name}`
  })
  const more = others.length > names.length ? ` and ${others.length - names.length} more` : ''
  const message = `holds for all of ${shown}, and so for the routes of Ingress ${names.join(', ')}${more}`
  reportOn(winner.owner.ingress, diagnostics)('annotation-differs', fieldOf(winner.owner), message)
}

function winnerOf(demands: Demands): Demand {
  return demands.find(({ found }) => 'authorities' in found) ?? demands[0]
}

function shownHost(host: string): string {
  return host === '' ? 'every other host' : host
}

/** Whether plain HTTP is sent to https. */
function redirects(owner: ParsedIngress, tls: boolean): boolean {
  const values = policyValues(owner, 'ssl-redirect')
  return values['force-ssl-redirect'] || (values['ssl-redirect'] && tls)
}

/** Everything that an Ingress demands, for comparison. */
function demandText(owner: ParsedIngress): string {
  const { namespace, name } = owner.references.find(({ by }) => by === 'host') ?? {}
  const { 'auth-tls-secret': _written, ...values } = policyValues(owner, 'client-certificates')
  return JSON.stringify([namespace, name, values])
}

function fieldOf(owner: ParsedIngress): string {
  return owner.texts.get('auth-tls-secret')?.key ?? 'auth-tls-secret'
}
