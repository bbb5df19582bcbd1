/**
 * The bytes of unpadded base64url; for other texts the offset at which Go's decoder finds fault with them, as recorded errors
 * tell it. Bits that the last character has too many are not looked at: encode again to know whether the text is the only
 * one that means these bytes.
 */
export const decodeBase64Url = (text: string): Buffer | { readonly faultAt: number } => {
  const faultAt = text.search(/[^A-Za-z0-9_-]/)
  if (faultAt !== -1) return { faultAt }
  // One character holds six bits: no byte ends there.
  if (text.length % 4 === 1) return { faultAt: text.length - 1 }
  return Buffer.from(text, 'base64url')
}
