/**
 * Whether a text is padded standard base64. No repeated group: V8 keeps a place to go back to for each of its rounds, and gives up with
 * an error on texts of some megabytes.
 */
export const isBase64 = (text: string): boolean =>
  text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text)
