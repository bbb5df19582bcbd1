import { isBase64 } from '../../std/base64.ts'

const ALPHABET = /[A-Za-z0-9+/]/

/**
 * The bytes of padded standard base64, line breaks ignored; for other texts the offset at which Go's decoder finds fault
 * with them, as recorded errors tell it.
 */
export const decodeBase64 = (text: string): Buffer | { readonly faultAt: number } => {
  if (isBase64(text)) return Buffer.from(text, 'base64')
  const faultAt = findFault(text)
  return faultAt === undefined ? Buffer.from(text, 'base64') : { faultAt }
}

const findFault = (text: string): number | undefined => {
  const isBreak = (at: number): boolean => text[at] === '\n' || text[at] === '\r'
  const skipBreaks = (at: number): number => {
    while (at < text.length && isBreak(at)) at++
    return at
  }
  // Characters of the group of four under way.
  let inGroup = 0
  for (let at = 0; at < text.length; at++) {
    if (isBreak(at)) continue
    const char = text[at]!
    if (ALPHABET.test(char)) {
      inGroup = (inGroup + 1) % 4
      continue
    }
    if (char !== '=' || inGroup < 2) return at
    let next = at + 1
    if (inGroup === 2) {
      next = skipBreaks(next)
      if (next === text.length) return text.length
      if (text[next] !== '=') return next - 1
      next++
    }
    next = skipBreaks(next)
    return next < text.length ? next : undefined
  }
  return inGroup === 0 ? undefined : text.length - inGroup
}

/** The same for base64 without padding, where a `=` is a fault. */
export const decodeRawBase64 = (text: string): Buffer | { readonly faultAt: number } => {
  let inGroup = 0
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!
    if (char === '\n' || char === '\r') continue
    if (!ALPHABET.test(char)) return { faultAt: at }
    inGroup = (inGroup + 1) % 4
  }
  return inGroup === 1 ? { faultAt: text.length - 1 } : Buffer.from(text, 'base64')
}
