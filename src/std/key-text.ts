/** What `Buffer.toString('latin1')` is made of, which also takes arrays that are no Buffers. */
const latin1Slice = (
  Buffer.prototype as unknown as {
    readonly latin1Slice: (this: Uint8Array, start: number, end: number) => string
  }
).latin1Slice

/**
 * Bytes as a string of one character each, for maps; these strings sort as the bytes do. For keys, as which it leaves a small array
 * where it is: going through its `buffer` would move it off the heap.
 */
export const keyText = (bytes: Uint8Array): string => latin1Slice.call(bytes, 0, bytes.length)
