const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** Random text of so many base-62 characters, each equally likely. */
export const base62 = (randomBytes: (length: number) => Buffer, length: number): string => {
  let text = ''
  while (text.length < length) {
    const bytes = randomBytes(length)
    for (let at = 0; at < bytes.length && text.length < length; at++) {
      const byte = bytes[at]!
      // 248 is the last multiple of 62: what lies above would favour the alphabet's beginning.
      if (byte < 248) text += ALPHABET[byte % 62]
    }
  }
  return text
}
