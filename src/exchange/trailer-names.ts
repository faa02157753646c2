/**
 * Names of fields that may not come behind the body (RFC 9110 6.5.1), besides all that the proxy acts
 * on: what says how to read the content, who may have it, or what to do with the message.
 */
export const misplacedTrailers: ReadonlySet<string> = new Set([
  'age',
  'cache-control',
  'content-encoding',
  'content-range',
  'content-type',
  'expires',
  'forwarded',
  'pragma',
  'proxy-authenticate',
  'range',
  'retry-after',
  'vary',
  'via',
  'www-authenticate',
])

/** Whether a lower-case name is one of those, or one that only ever means something in a request head. */
export function isMisplacedTrailer(name: string): boolean {
  return (
    misplacedTrailers.has(name) ||
    name.startsWith('if-') ||
    name.startsWith('x-forwarded-') ||
    name.startsWith('ssl-client-') ||
    name.startsWith('x-original-')
  )
}
