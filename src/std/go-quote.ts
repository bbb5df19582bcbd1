const NAMED: ReadonlyMap<string, string> = new Map([
  ['\x07', '\\a'],
  ['\b', '\\b'],
  ['\f', '\\f'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
  ['\v', '\\v'],
  ['"', '\\"'],
  ['\\', '\\\\'],
])
const PRINTABLE = /^[ \p{L}\p{M}\p{N}\p{P}\p{S}]$/u

const hex = (code: number, width: number): string => code.toString(16).padStart(width, '0')

const quoteChar = (char: string): string => {
  const named = NAMED.get(char)
  if (named !== undefined) return named
  if (PRINTABLE.test(char)) return char
  const code = char.codePointAt(0)!
  if (code < 0x80) return `\\x${hex(code, 2)}`
  return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`
}

/** A text in quotes as Go's `%q` writes it. */
export const goQuote = (text: string): string => {
  let out = '"'
  for (const char of text) out += quoteChar(char)
  return `${out}"`
}
