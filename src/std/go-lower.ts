/*
 * Code points whose lower case came after Unicode 15, which is what the reference's Go knows. Without this list a newer
 * runtime would find names equal that an older one kept apart.
 */
const NEWER: readonly (readonly [from: number, to: number])[] = [
  [0x1c89, 0x1c89],
  [0xa7cb, 0xa7d4],
  [0xa7da, 0xa7dc],
  [0x10d50, 0x10d65],
  [0x16ea0, 0x16eb8],
]
/** Those of the ranges above that Unicode 15 knew already. */
const KNOWN = new Set([0xa7d0])

const isNewer = (codePoint: number): boolean =>
  codePoint >= 0x1c89 &&
  !KNOWN.has(codePoint) &&
  NEWER.some(([from, to]) => codePoint >= from && codePoint <= to)

const ASCII = /^[\0-\x7f]*$/

const lower = (char: string): string => {
  // The one code point whose lower case has two for Unicode and one for Go.
  if (char === '\u0130') return 'i'
  return isNewer(char.codePointAt(0)!) ? char : char.toLowerCase()
}

/**
 * Lower case as Go's strings.ToLower: code point by code point (no final sigma), by Unicode 15. The one canonicaliser of
 * names: whatever compares names without case goes through it (settled.md 8).
 */
export const goLower = (text: string): string => {
  if (ASCII.test(text)) return text.toLowerCase()
  let out = ''
  for (const char of text) out += lower(char)
  return out
}
