/** What encodeURIComponent escapes, and set_escape_uri of nginx, which ingress-nginx uses, does not. */
const kept: Readonly<Record<string, string>> = { '%24': '$', '%2C': ',', '%40': '@' }

/** Text as part of a query, escaped like `$escaped_request_uri` of ingress-nginx. */
export function escapeUri(text: string): string {
  return encodeURIComponent(text).replaceAll(/%(?:24|2C|40)/g, (escape) => kept[escape] ?? escape)
}
