import type { Position } from './ast.ts'
import { isBlank, isDecimal, isDigit, isHex, isLetter } from './char-class.ts'
import { CharReader, END } from './char-reader.ts'
import type { HclError } from './hcl-error.ts'
import { errorAt } from './hcl-error.ts'

/** Named as error texts name them. */
export type TokenType =
  | 'ILLEGAL'
  | 'EOF'
  | 'COMMENT'
  | 'IDENT'
  | 'NUMBER'
  | 'FLOAT'
  | 'BOOL'
  | 'STRING'
  | 'HEREDOC'
  | 'LBRACK'
  | 'RBRACK'
  | 'LBRACE'
  | 'RBRACE'
  | 'COMMA'
  | 'PERIOD'
  | 'ASSIGN'
  | 'ADD'
  | 'SUB'

export interface Token {
  readonly type: TokenType
  /** As in the source, quotes included. */
  readonly text: string
  readonly at: Position
}

const code = (char: string): number => char.charCodeAt(0)

const SIGNS: ReadonlyMap<number, TokenType> = new Map([
  [code('['), 'LBRACK'],
  [code(']'), 'RBRACK'],
  [code('{'), 'LBRACE'],
  [code('}'), 'RBRACE'],
  [code(','), 'COMMA'],
  [code('='), 'ASSIGN'],
  [code('+'), 'ADD'],
])

const NEWLINE = code('\n')
const QUOTE = code('"')
const BACKSLASH = code('\\')
const SLASH = code('/')
const STAR = code('*')
const DASH = code('-')
const DOT = code('.')
const DOLLAR = code('$')
const OPEN = code('{')
const CLOSE = code('}')
const LESS = code('<')

const PLAIN_ESCAPES = new Set('abfnrtv\\"'.split('').map(code))
/** Hexadecimal digits that each of these escapes wants. */
const HEX_ESCAPES = new Map([
  [code('x'), 2],
  [code('u'), 4],
  [code('U'), 8],
])

const isOctal = (digit: number): boolean => digit >= code('0') && digit <= code('7')
const isExponent = (char: number): boolean => char === code('e') || char === code('E')
const isSign = (char: number): boolean => char === code('+') || char === DASH

/**
 * Cuts an HCL document into tokens, comments left out. Faults do not stop it: the last one is kept in `fault` and
 * outweighs whatever the parser finds.
 */
export class Lexer {
  fault: HclError | undefined
  readonly #chars: CharReader

  constructor(text: string) {
    this.#chars = new CharReader(text, (fault) => this.#report(fault))
  }

  /** The next token that is no comment; EOF again and again at the end. */
  next(): Token {
    for (;;) {
      const token = this.#scan()
      if (token.type !== 'COMMENT') return token
    }
  }

  #report(text: string): void {
    this.fault = errorAt(this.#chars.position, text)
  }

  /** For a fault that is seen at the character to come. */
  #reportNext(text: string): void {
    const char = this.#chars.read()
    this.#report(text)
    if (char !== END) this.#chars.unread()
  }

  #scan(): Token {
    const chars = this.#chars
    let first = chars.read()
    while (isBlank(first)) first = chars.read()
    const at = chars.position
    const start = first === END ? chars.index : chars.index - (first > 0xffff ? 2 : 1)
    const type = this.#token(first)
    const text = chars.text.slice(start, chars.index)
    if (type === 'IDENT' && (text === 'true' || text === 'false')) return { type: 'BOOL', text, at }
    return { type, text, at }
  }

  #token(first: number): TokenType {
    if (first === END) return 'EOF'
    if (isLetter(first)) return this.#identifier()
    if (isDecimal(first)) return this.#number(first)
    const sign = SIGNS.get(first)
    if (sign !== undefined) return sign
    switch (first) {
      case QUOTE:
        this.#string()
        return 'STRING'
      case code('#'):
      case SLASH:
        this.#comment(first)
        return 'COMMENT'
      case LESS:
        this.#heredoc()
        return 'HEREDOC'
      case DOT:
        return this.#period()
      case DASH:
        return isDecimal(this.#chars.peek()) ? this.#number(this.#chars.read()) : 'SUB'
      default:
        this.#report('illegal char')
        return 'ILLEGAL'
    }
  }

  #skipWhile(test: (char: number) => boolean): number {
    let count = 0
    for (; test(this.#chars.peek()); count++) this.#chars.read()
    return count
  }

  #identifier(): TokenType {
    this.#skipWhile((char) => isLetter(char) || isDigit(char) || char === DASH || char === DOT)
    this.#chars.pastEnd(1)
    return 'IDENT'
  }

  #period(): TokenType {
    if (!isDecimal(this.#chars.peek())) return 'PERIOD'
    this.#skipWhile(isDecimal)
    this.#exponent()
    this.#chars.pastEnd(1)
    return 'FLOAT'
  }

  #number(first: number): TokenType {
    const chars = this.#chars
    if (first === code('0') && (chars.peek() === code('x') || chars.peek() === code('X'))) {
      chars.read()
      if (this.#skipWhile(isHex) === 0) this.#reportNext('illegal hexadecimal number')
      else chars.pastEnd(1)
      return 'NUMBER'
    }
    const start = chars.index
    this.#skipWhile(isDecimal)
    const digits = chars.text.slice(start, chars.index)
    if (chars.peek() === DOT) {
      chars.read()
      this.#skipWhile(isDecimal)
      this.#exponent()
      chars.pastEnd(1)
      return 'FLOAT'
    }
    if (this.#exponent()) {
      chars.pastEnd(1)
      return 'NUMBER'
    }
    if (first !== code('0')) chars.pastEnd(2)
    // The digit right after the zero is not looked at, as in the reference: reading the number refuses 08 anyway.
    else if (digits.includes('8', 1) || digits.includes('9', 1))
      this.#reportNext('illegal octal number')
    else chars.pastEnd(1)
    return 'NUMBER'
  }

  #exponent(): boolean {
    if (!isExponent(this.#chars.peek())) return false
    this.#chars.read()
    if (isSign(this.#chars.peek())) this.#chars.read()
    this.#skipWhile(isDecimal)
    return true
  }

  #comment(first: number): void {
    const chars = this.#chars
    if (first === SLASH && chars.peek() === STAR) {
      chars.read()
      this.#blockComment()
      return
    }
    if (first === SLASH && chars.peek() !== SLASH) {
      this.#report("expected '/' for comment")
      return
    }
    let char = chars.read()
    while (char !== NEWLINE && char !== END) char = chars.read()
  }

  #blockComment(): void {
    let before = this.#chars.read()
    while (before !== END) {
      const char = this.#chars.read()
      if (before === STAR && char === SLASH) return
      before = char
    }
    this.#report('comment not terminated')
  }

  /** Up to the closing quote; inside `${ … }` quotes and line ends are ordinary. */
  #string(): void {
    const chars = this.#chars
    let braces = 0
    for (;;) {
      const char = chars.read()
      if (char === END || (char === NEWLINE && braces === 0)) {
        this.#report('literal not terminated')
        return
      }
      if (char === QUOTE && braces === 0) return
      if (braces === 0 && char === DOLLAR && chars.peek() === OPEN) {
        chars.read()
        braces = 1
      } else if (braces > 0 && char === OPEN) braces++
      else if (braces > 0 && char === CLOSE) braces--
      if (char === BACKSLASH) this.#escape()
    }
  }

  #escape(): void {
    const chars = this.#chars
    const char = chars.read()
    if (PLAIN_ESCAPES.has(char)) return
    const hex = HEX_ESCAPES.get(char)
    if (hex !== undefined) this.#digits(hex, isHex)
    else if (isOctal(char)) this.#digits(2, isOctal)
    else this.#report('illegal char escape')
  }

  #digits(count: number, test: (char: number) => boolean): void {
    for (let i = 0; i < count; i++) {
      if (!test(this.#chars.peek())) {
        this.#reportNext('illegal char escape')
        return
      }
      this.#chars.read()
    }
  }

  /** `<<ANCHOR` or `<<-ANCHOR`, lines, and a line with nothing but blanks and the anchor. */
  #heredoc(): void {
    const chars = this.#chars
    if (chars.read() !== LESS) {
      this.#report("heredoc expected second '<', didn't see it")
      return
    }
    if (chars.peek() === DASH) chars.read()
    const start = chars.index
    this.#skipWhile((char) => isLetter(char) || isDigit(char))
    const anchor = chars.text.slice(start, chars.index)
    const end = chars.read()
    if (end === END) {
      this.#report('heredoc not terminated')
      return
    }
    if (end !== NEWLINE) {
      this.#report('invalid characters in heredoc anchor')
      return
    }
    if (anchor === '') {
      this.#report('zero-length heredoc anchor')
      return
    }
    this.#heredocLines(anchor)
  }

  #heredocLines(anchor: string): void {
    const chars = this.#chars
    let lineStart = chars.index
    for (;;) {
      const char = chars.read()
      if (char === END) {
        this.#report('heredoc not terminated')
        return
      }
      if (char !== NEWLINE) continue
      if (isAnchorLine(chars.text.slice(lineStart, chars.index - 1), anchor)) return
      lineStart = chars.index
    }
  }
}

const BLANKS = ' \t\v\f\r'

/** Whether a line holds the anchor after blanks only. */
export const isAnchorLine = (line: string, anchor: string): boolean => {
  let at = 0
  while (at < line.length && BLANKS.includes(line[at]!)) at++
  let end = line.length
  while (end > at && line[end - 1] === '\r') end--
  return line.slice(at, end) === anchor
}
