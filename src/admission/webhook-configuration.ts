/** What is read of a ValidatingWebhookConfiguration. */
export interface WebhookConfiguration {
  readonly webhooks?: readonly {
    readonly name?: string
    readonly clientConfig?: {
      readonly url?: string
      readonly service?: { readonly namespace?: string; readonly name?: string }
      readonly caBundle?: string
    }
  }[]
}

const namesMax = 20

/** The names by which the API server calls: those that the certificate must cover, sorted. */
export function namesOf({ webhooks = [] }: WebhookConfiguration): string[] {
  const names = new Set<string>()
  for (const { clientConfig } of webhooks) {
    const { service, url } = clientConfig ?? {}
    if (service?.name !== undefined) names.add(`${service.name}.${service.namespace ?? ''}.svc`)
    const host = url === undefined ? undefined : URL.parse(url)?.hostname
    if (host !== undefined) names.add(host.replaceAll(/[[\]]/g, ''))
  }
  return [...names].toSorted().slice(0, namesMax)
}

/** The strategic merge patch that makes every webhook in it trust `bundle` (PEM); undefined: all do. */
export function patchOf(
  { webhooks = [] }: WebhookConfiguration,
  bundle: string,
): object | undefined {
  const caBundle = Buffer.from(bundle, 'utf8').toString('base64')
  const others = webhooks.filter(({ clientConfig }) => clientConfig?.caBundle !== caBundle)
  if (others.length === 0) return undefined
  return { webhooks: others.map(({ name }) => ({ name, clientConfig: { caBundle } })) }
}
