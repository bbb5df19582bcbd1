const LETTER = /^\p{L}$/u
const DIGIT = /^\p{Nd}$/u

const test = (pattern: RegExp, code: number): boolean =>
  code >= 0x80 && pattern.test(String.fromCodePoint(code))

export const isDecimal = (code: number): boolean => code >= 0x30 && code <= 0x39

export const isHex = (code: number): boolean =>
  isDecimal(code) || (code >= 0x61 && code <= 0x66) || (code >= 0x41 && code <= 0x46)

/** A letter of any script, or `_`. */
export const isLetter = (code: number): boolean =>
  (code >= 0x61 && code <= 0x7a) ||
  (code >= 0x41 && code <= 0x5a) ||
  code === 0x5f ||
  test(LETTER, code)

/** A decimal digit of any script. */
export const isDigit = (code: number): boolean => isDecimal(code) || test(DIGIT, code)

export const isBlank = (code: number): boolean =>
  code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d
