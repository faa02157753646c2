/** The client connection preface of HTTP/2 (RFC 9113 3.4): no HTTP/1.1 request begins with it. */
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1')

/**
 * Whether a connection speaks HTTP/2 with prior knowledge, from its first bytes: 'more' when they
 * are too few to tell.
 */
export function looksLikeHttp2Preface(
  buffer: Buffer,
  start: number,
  end: number,
): 'yes' | 'no' | 'more' {
  const size = Math.min(end - start, preface.length)
  for (let i = 0; i < size; i++) if (buffer[start + i] !== preface[i]) return 'no'
  return size === preface.length ? 'yes' : 'more'
}
