/**
 * The Huffman code of RFC 7541, Appendix B. It is canonical: among codes of one length the order is
 * that of the symbols, so the lengths say everything. Symbol 256 is EOS.
 */
const codeLengths = Uint8Array.from([
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28,
  28, 28, 28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5,
  6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
  7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6,
  7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23,
  23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22,
  22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22,
  23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27,
  27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25,
  24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
])

const eos = 256
const codes = canonicalCodes()

function canonicalCodes(): Uint32Array {
  const order = Array.from(codeLengths.keys()).toSorted(
    (a, b) => lengthOf(a) - lengthOf(b) || a - b,
  )
  const result = new Uint32Array(codeLengths.length)
  let code = 0
  let length = 0
  for (const symbol of order) {
    code <<= lengthOf(symbol) - length
    length = lengthOf(symbol)
    result[symbol] = code++
  }
  return result
}

function lengthOf(symbol: number): number {
  return codeLengths[symbol] as number
}

/**
 * The decoder walks the code's tree half a byte at a time. States are the 256 inner nodes; an entry
 * is the next state in bits 0-7, a symbol in bits 8-15, and the flags below. At most one symbol ends
 * within four bits, since the shortest code has five.
 */
const emits = 1 << 16
const fails = 1 << 17
/** Flags of a state: the bits since the last symbol may be padding (fewer than 8, all ones). */
const mayEnd = new Uint8Array(256)
const transitions = buildTransitions()

function buildTransitions(): Int32Array {
  const tree: CodeTree = { zero: [0], one: [0] }
  mayEnd[0] = 1
  for (let symbol = 0; symbol <= eos; symbol++) plant(tree, symbol)
  const table = new Int32Array(256 * 16)
  for (let i = 0; i < table.length; i++) table[i] = walk(tree, i >>> 4, i & 15)
  return table
}

/** Children of inner nodes: the number of a node, or -1 - symbol for a leaf. Node 0 is the root. */
interface CodeTree {
  readonly zero: number[]
  readonly one: number[]
}

function plant(tree: CodeTree, symbol: number): void {
  const code = codes[symbol] as number
  let node = 0
  let allOnes = true
  for (let left = lengthOf(symbol) - 1; left > 0; left--) {
    const isOne = ((code >>> left) & 1) === 1
    const children = isOne ? tree.one : tree.zero
    allOnes &&= isOne
    if (children[node] === 0) {
      children[node] = tree.zero.length
      tree.zero.push(0)
      tree.one.push(0)
    }
    node = children[node] as number
    if (allOnes && lengthOf(symbol) - left < 8) mayEnd[node] = 1
  }
  const children = (code & 1) === 1 ? tree.one : tree.zero
  children[node] = -1 - symbol
}

function walk(tree: CodeTree, state: number, nibble: number): number {
  let node = state
  let result = 0
  for (let bit = 3; bit >= 0; bit--) {
    const children = ((nibble >>> bit) & 1) === 1 ? tree.one : tree.zero
    const next = children[node] as number
    if (next >= 0) {
      node = next
      continue
    }
    const symbol = -1 - next
    if (symbol === eos) return fails
    result = emits | (symbol << 8)
    node = 0
  }
  return result | node
}

/** How many bytes at most `length` coded bytes stand for. */
export function decodedBytesMax(length: number): number {
  return Math.ceil((length * 8) / 5)
}

/**
 * Decodes into `target` from its start, which must have room for `decodedBytesMax`. Returns the number
 * of bytes, or -1: EOS inside, or padding that is not fewer than 8 ones (RFC 7541 5.2).
 */
export function huffmanDecode(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
): number {
  let state = 0
  let length = 0
  for (let i = start; i < end; i++) {
    const byte = source[i] as number
    const high = transitions[(state << 4) | (byte >>> 4)] as number
    if (high >= emits) {
      if (high >= fails) return -1
      target[length++] = high >>> 8
    }
    const low = transitions[((high & 0xff) << 4) | (byte & 15)] as number
    if (low >= emits) {
      if (low >= fails) return -1
      target[length++] = low >>> 8
    }
    state = low & 0xff
  }
  return mayEnd[state] === 1 ? length : -1
}

/** The byte for a character. What is not latin1 must not wrap around into a line break. */
function symbolAt(text: string, i: number): number {
  const code = text.charCodeAt(i)
  return code > 0xff ? 0x3f : code
}

/** The length in bytes of `text` (latin1) when coded. */
export function huffmanBytes(text: string): number {
  let bits = 0
  for (let i = 0; i < text.length; i++) bits += codeLengths[symbolAt(text, i)] as number
  return (bits + 7) >>> 3
}

/** Writes the coded `text` (latin1) at `at`; returns the position behind it. */
export function huffmanEncode(text: string, target: Uint8Array, at: number): number {
  let pending = 0
  let bits = 0
  let position = at
  for (let i = 0; i < text.length; i++) {
    const symbol = symbolAt(text, i)
    const length = codeLengths[symbol] as number
    const code = codes[symbol] as number
    // At most 7 bits wait, and 7 + 30 do not fit 32: long codes go in two parts.
    if (length > 24) {
      pending = (pending << (length - 16)) | (code >>> 16)
      bits += length - 16
      while (bits >= 8) {
        bits -= 8
        target[position++] = pending >>> bits
      }
      pending = (pending << 16) | (code & 0xffff)
      bits += 16
    } else {
      pending = (pending << length) | code
      bits += length
    }
    while (bits >= 8) {
      bits -= 8
      target[position++] = pending >>> bits
    }
  }
  if (bits > 0) target[position++] = (pending << (8 - bits)) | (0xff >>> bits)
  return position
}
