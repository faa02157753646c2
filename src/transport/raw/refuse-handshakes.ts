import { getBuiltinModule } from 'node:process'

const solSocket = 1
const soAttachFilter = 26
/** Offset of the flags in a TCP header (RFC 9293 3.1), and two of them. */
const flagsAt = 13
const syn = 0x02
const synAndAck = 0x12

/** Opcodes of classic BPF (Linux, Documentation/networking/filter.rst). */
const loadByte = 0x30
const and = 0x54
const jumpIfEqual = 0x15
const give = 0x06

const headBytes = 16
const instructionBytes = 8

/** Code, jump if true, jump if false, operand. */
const dropNewHandshakes: readonly (readonly [number, number, number, number])[] = [
  [loadByte, 0, 0, flagsAt],
  [and, 0, 0, synAndAck],
  [jumpIfEqual, 0, 1, syn],
  [give, 0, 0, 0],
  [give, 0, 0, 0xff_ff_ff_ff],
]

/**
 * Lets the kernel drop every new SYN for a listening socket, so that its queue can be emptied for
 * good before it is closed: a client that is dropped asks again a second later and finds another
 * listener of the port, or none. Handshakes under way still end. Needs Linux and `node:ffi`; false
 * where that is not to be had, and the caller is left with a gap of microseconds.
 */
export function refuseHandshakes(fd: number): boolean {
  if (process.platform !== 'linux' || fd < 0) return false
  try {
    return attachFilter(fd)
  } catch {
    return false
  }
}

function attachFilter(fd: number): boolean {
  // Absent with --no-experimental-ffi, whatever the types say: then the next lines throw.
  const ffi = quietly(() => getBuiltinModule('node:ffi'))
  // struct sock_fprog (a length, padding, a pointer) and behind it what it points to.
  const program = Buffer.alloc(headBytes + dropNewHandshakes.length * instructionBytes)
  program.writeUInt16LE(dropNewHandshakes.length, 0)
  program.writeBigUInt64LE(ffi.getRawPointer(program) + BigInt(headBytes), 8)
  dropNewHandshakes.forEach(([code, ifTrue, ifFalse, operand], i) => {
    const at = headBytes + i * instructionBytes
    program.writeUInt16LE(code, at)
    program.writeUInt8(ifTrue, at + 2)
    program.writeUInt8(ifFalse, at + 3)
    program.writeUInt32LE(operand, at + 4)
  })
  const library = new ffi.DynamicLibrary(null)
  try {
    const setsockopt = library.getFunction('setsockopt', {
      arguments: ['int32', 'int32', 'int32', 'pointer', 'uint32'],
      return: 'int32',
    })
    return setsockopt(fd, solSocket, soAttachFilter, program, headBytes) === 0
  } finally {
    library.close()
  }
}

/** `node:ffi` announces itself as experimental on the first use. It is one call here, and guarded. */
function quietly<Result>(load: () => Result): Result {
  const warn: typeof process.emitWarning = Reflect.get(process, 'emitWarning')
  process.emitWarning = () => undefined
  try {
    return load()
  } finally {
    process.emitWarning = warn
  }
}
