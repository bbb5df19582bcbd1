import type { Position } from './ast.ts'

/** What `read` and `peek` say at the end, and for U+0000, which ends a token. */
export const END = -1

/** Half a surrogate pair: no text holds one, so `textFromUtf8` puts bytes there that are not UTF-8. */
const isHalf = (code: number): boolean => code >= 0xd800 && code < 0xe000

/**
 * Reads a text code point by code point and knows where it is. Reading at the end moves on by a column each time, as
 * Go's HCL does; its error texts show it.
 */
export class CharReader {
  /** Units read so far: where the next character begins. */
  index = 0
  readonly text: string
  readonly #fault: (text: string) => void
  #line = 1
  #column = 0
  #afterBreak = false
  #lineBefore = 1
  #columnBefore = 0
  #indexBefore = 0
  #afterBreakBefore = false

  /** `fault` is told of characters that may not occur, at the position of that moment. */
  constructor(text: string, fault: (text: string) => void) {
    this.text = text
    this.#fault = fault
  }

  /** Of the character read last. */
  get position(): Position {
    return { line: this.#line, column: this.#column }
  }

  /** The next code point or END. */
  read(): number {
    this.#indexBefore = this.index
    this.#lineBefore = this.#line
    this.#columnBefore = this.#column
    this.#afterBreakBefore = this.#afterBreak
    if (this.#afterBreak) {
      this.#line++
      this.#column = 0
      this.#afterBreak = false
    }
    this.#column++
    const code = this.text.codePointAt(this.index)
    if (code === undefined) return END
    this.index += code > 0xffff ? 2 : 1
    if (code === 0x0a) this.#afterBreak = true
    if (code === 0) {
      this.#fault('unexpected null character (0x00)')
      return END
    }
    if (isHalf(code)) this.#fault('illegal UTF-8 encoding')
    return code
  }

  /** The code point that `read` would give, without moving. */
  peek(): number {
    return this.text.codePointAt(this.index) ?? END
  }

  /** Takes the last `read` back; not twice. */
  unread(): void {
    this.index = this.#indexBefore
    this.#line = this.#lineBefore
    this.#column = this.#columnBefore
    this.#afterBreak = this.#afterBreakBefore
  }

  /** Counts so many further reads at the end, if this is the end. */
  pastEnd(reads: number): void {
    for (let i = 0; i < reads && this.index >= this.text.length; i++) this.read()
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Bytes that a well-formed sequence starting with `first` has; 0 = none starts so. */
const sequenceLength = (first: number): number =>
  first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0

const decode = (bytes: Uint8Array): string | undefined => {
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}

/** The text of UTF-8 bytes; each byte that is none becomes half a surrogate pair, which CharReader reports. */
export const textFromUtf8 = (bytes: Uint8Array): string => {
  const whole = decode(bytes)
  if (whole !== undefined) return whole
  let text = ''
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes[at]!)
    const char = length === 0 ? undefined : decode(bytes.subarray(at, at + length))
    text += char ?? String.fromCharCode(0xdc00 + bytes[at]!)
    at += char === undefined ? 1 : length
  }
  return text
}
