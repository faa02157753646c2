/** Bytes and classes of bytes that HTTP/1.1 is written in (RFC 9110 5.6.2, RFC 9112 2.2). */

export const TAB = 0x09
export const LF = 0x0a
export const CR = 0x0d
export const SPACE = 0x20
export const COLON = 0x3a

/** Classes of `nameClass`. */
export const plainNameByte = 1
export const oddNameByte = 2

/**
 * For names and methods: 0 no token character, 1 letter, digit or hyphen, 2 any other token
 * character.
 */
export const nameClass = new Uint8Array(256)
mark(nameClass, "!#$%&'*+.^_`|~", oddNameByte)
mark(nameClass, 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-', plainNameByte)

/**
 * 1 for every byte of a field value: visible, space, tab, or 0x80 and above. Never CR, LF or NUL.
 */
export const valueClass = new Uint8Array(256).fill(1, 0x20)
valueClass[TAB] = 1
valueClass[0x7f] = 0

/** Class of `targetClass`. */
export const plainTargetByte = 1

/**
 * For request targets: 2 for `%` and `?`, which mean something to the parser; 0 for what may not
 * stand there: controls, space, `#`, DEL, and 0x80 and above. nginx lets the last pass; a byte that
 * is no URI character (RFC 3986 2) may be read in two ways further on, so we do not. Characters
 * like `|` and `^`, outside the grammar too, are in use.
 */
export const targetClass = new Uint8Array(256).fill(plainTargetByte, 0x21, 0x7f)
targetClass[0x23] = 0
targetClass[0x25] = 2
targetClass[0x3f] = 2

/** The value of a hexadecimal digit, -1 for every other byte. */
export const hexValue = new Int8Array(256).fill(-1)
for (let i = 0; i < 10; i++) hexValue[0x30 + i] = i
for (let i = 0; i < 6; i++) {
  hexValue[0x41 + i] = 10 + i
  hexValue[0x61 + i] = 10 + i
}

function mark(table: Uint8Array, characters: string, value: number): void {
  for (let i = 0; i < characters.length; i++) table[characters.charCodeAt(i)] = value
}
