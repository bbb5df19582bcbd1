const scratch = Buffer.alloc(1_024)

/**
 * Bytes as a string of one character each, for maps; these strings sort as the bytes do. For keys: what makes the string would move
 * a small array off the heap, so it is given a copy.
 */
export const keyText = (bytes: Uint8Array): string => {
  if (bytes.length > scratch.length) return Buffer.from(bytes).toString('latin1')
  scratch.set(bytes)
  return scratch.toString('latin1', 0, bytes.length)
}
