const FORM =
  /^([+-]?)(0[xX]_?[\da-fA-F]+(?:_[\da-fA-F]+)*|0[bB]_?[01]+(?:_[01]+)*|0[oO]?_?[0-7]+(?:_[0-7]+)*|0|[1-9]\d*(?:_\d+)*)$/
const MOST = (1n << 63n) - 1n

/** What Go's strconv.ParseInt says of a text. */
export type GoIntegerFault = 'invalid syntax' | 'value out of range'

/** An integer as Go's strconv.ParseInt reads it with base 0: `0x1f`, `017`, `0b1`, `1_000`; 64 bits. */
export const readGoInteger = (text: string): bigint | GoIntegerFault => {
  const match = FORM.exec(text)
  if (match === null) return 'invalid syntax'
  const digits = match[2]!.replaceAll('_', '')
  // BigInt knows 0x, 0b and 0o, but not the octal of a leading zero.
  const octal = digits.length > 1 && digits[0] === '0' && digits[1]! >= '0' && digits[1]! <= '9'
  const magnitude = BigInt(octal ? `0o${digits.slice(1)}` : digits.toLowerCase())
  const value = match[1] === '-' ? -magnitude : magnitude
  return value > MOST || value < -MOST - 1n ? 'value out of range' : value
}

/** The same, undefined for what is none. */
export const goInteger = (text: string): bigint | undefined => {
  const value = readGoInteger(text)
  return typeof value === 'bigint' ? value : undefined
}
