/** iOS 12, and Safari and embedded browsers of macOS 10.14: they read SameSite=None as Strict. */
const apple =
  /\(iP.+; CPU .*OS 12[_\d]*.*\) AppleWebKit\/|\(Macintosh;.*Mac OS X 10_14[_\d]*.*\).*(?:Version\/.* Safari\/|AppleWebKit\/[.\d]+ \(KHTML, like Gecko\)$)/
const chromium = /Chrom(?:e|ium)\/(\d{1,4})/
const ucBrowser = /UCBrowser\/(\d{1,4})\.(\d{1,4})\.(\d{1,4})/

/** Agents are longer than this only to do harm. */
const agentLengthMax = 512

/**
 * Whether a browser rejects a cookie with SameSite=None or treats it as Strict.
 * Source: chromium.org, "SameSite=None: Known Incompatible Clients".
 */
export function mishandlesSameSiteNone(userAgent: string): boolean {
  const agent = userAgent.slice(0, agentLengthMax)
  const uc = ucBrowser.exec(agent)
  if (uc !== null) return isBefore(uc.slice(1).map(Number), [12, 13, 2])
  const major = Number(chromium.exec(agent)?.[1] ?? 0)
  if (major > 0) return major >= 51 && major <= 66
  return apple.test(agent)
}

function isBefore(version: readonly number[], limit: readonly number[]): boolean {
  for (const [i, part] of limit.entries()) {
    const own = version[i] ?? 0
    if (own !== part) return own < part
  }
  return false
}
