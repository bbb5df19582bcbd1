/**
 * Bytes as a string of one character each, for maps; these strings sort as the bytes do. For short ones, as keys are (at most
 * some 10,000). Goes around `buffer`, which would move a small array off the heap.
 */
export const keyText = (bytes: Uint8Array): string =>
  String.fromCharCode.apply(null, bytes as unknown as number[])
