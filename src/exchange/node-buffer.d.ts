// oxlint-disable-next-line unicorn/require-module-specifiers -- makes this file a module
export {}

declare global {
  /** Methods that every Buffer has and that @types/node leaves out: no argument checks, no dispatch. */
  interface Buffer<TArrayBuffer extends ArrayBufferLike = ArrayBufferLike> {
    latin1Slice(start?: number, end?: number): string
    hexSlice(start?: number, end?: number): string
    latin1Write(text: string, offset?: number, length?: number): number
  }
}
