/** Letters that make no words and are not taken for each other (RFC 8628 6.1). */
const LETTERS = 'BCDFGHJKLMNPQRSTVWXZ'

const LENGTH = 8

/** Longer texts are no user codes, whatever stands between their letters. */
const TEXT_MOST = 64

/** A random user code, as it is looked up: eight letters, each equally likely. */
export const drawUserCode = (randomBytes: (length: number) => Buffer): string => {
  let code = ''
  while (code.length < LENGTH) {
    for (const byte of randomBytes(LENGTH)) {
      // 240 is the last multiple of 20: what lies above would favour the first letters.
      if (byte < 240 && code.length < LENGTH) code += LETTERS[byte % LETTERS.length]
    }
  }
  return code
}

/** A user code as people read it: `BCDF-GHJK`. */
export const shownUserCode = (code: string): string => `${code.slice(0, 4)}-${code.slice(4)}`

/** The code of a text that a person typed, in any case, with any separators; undefined for what can be none. */
export const readUserCode = (text: string): string | undefined => {
  if (text.length > TEXT_MOST) return undefined
  const letters = text.replace(/[\s._-]/g, '')
  // Tested before its case is changed: the upper case of some other letters is one of these.
  return /^[bcdfghjklmnpqrstvwxz]{8}$/i.test(letters) ? letters.toUpperCase() : undefined
}
