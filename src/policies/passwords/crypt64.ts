const digits = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/**
 * Writes three bytes as four digits, least significant first, as the crypt(3) family does. `order`
 * names the bytes, most significant first; -1 stands for zero.
 */
export function encode24(
  bytes: Buffer,
  order: readonly (readonly [number, number, number])[],
): string {
  let text = ''
  for (const [high, middle, low] of order) {
    let value = (byteAt(bytes, high) << 16) | (byteAt(bytes, middle) << 8) | byteAt(bytes, low)
    for (let i = 0; i < 4; i++) {
      text += digits.charAt(value & 63)
      value >>>= 6
    }
  }
  return text
}

function byteAt(bytes: Buffer, index: number): number {
  return index < 0 ? 0 : (bytes[index] as number)
}
