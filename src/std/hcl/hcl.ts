import type { HclObject } from './ast.ts'
import { textFromUtf8 } from './char-reader.ts'
import { parseJsonForm } from './json-parser.ts'
import { parseNative } from './native-parser.ts'

/** White space by Go's unicode.IsSpace. */
const FIRST = /^[\t\n\v\f\r \u0085\p{Z}]*(.?)/u

/**
 * Reads a document of HCL 1, native or in its JSON form (the first character that is no white space is `{`), to a tree
 * with positions. Bytes are read as UTF-8. Throws HclError with the texts of Go's HCL 1.
 */
export const parseHcl = (source: string | Uint8Array): HclObject => {
  const text = typeof source === 'string' ? source.toWellFormed() : textFromUtf8(source)
  return FIRST.exec(text)?.[1] === '{' ? parseJsonForm(text) : parseNative(text)
}
