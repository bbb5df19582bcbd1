import type { Position } from './ast.ts'
import { isBlank, isDecimal, isDigit, isHex, isLetter } from './char-class.ts'
import { CharReader, END } from './char-reader.ts'
import { HclError, showPosition } from './hcl-error.ts'

/** Named as error texts name them. */
export type JsonTokenType =
  | 'ILLEGAL'
  | 'EOF'
  | 'NUMBER'
  | 'FLOAT'
  | 'BOOL'
  | 'STRING'
  | 'NULL'
  | 'LBRACK'
  | 'RBRACK'
  | 'LBRACE'
  | 'RBRACE'
  | 'COMMA'
  | 'PERIOD'
  | 'COLON'

export interface JsonToken {
  readonly type: JsonTokenType
  /** As in the source, quotes included. */
  readonly text: string
  readonly at: Position
}

const code = (char: string): number => char.charCodeAt(0)

const SIGNS: ReadonlyMap<number, JsonTokenType> = new Map([
  [code('['), 'LBRACK'],
  [code(']'), 'RBRACK'],
  [code('{'), 'LBRACE'],
  [code('}'), 'RBRACE'],
  [code(','), 'COMMA'],
  [code(':'), 'COLON'],
  [code('.'), 'PERIOD'],
])
const WORDS: ReadonlyMap<string, JsonTokenType> = new Map([
  ['true', 'BOOL'],
  ['false', 'BOOL'],
  ['null', 'NULL'],
])
const ESCAPES = new Set('"\\/bfnrt'.split('').map(code))
const DASH = code('-')

/** Cuts the JSON form of HCL into tokens. As with Lexer, the last fault is kept and outweighs what the parser finds. */
export class JsonLexer {
  fault: HclError | undefined
  readonly #chars: CharReader

  constructor(text: string) {
    this.#chars = new CharReader(text, (fault) => this.#report(fault))
  }

  next(): JsonToken {
    const chars = this.#chars
    let first = chars.read()
    while (isBlank(first)) first = chars.read()
    const at = chars.position
    const start = first === END ? chars.index : chars.index - (first > 0xffff ? 2 : 1)
    let type = this.#token(first)
    const text = chars.text.slice(start, chars.index)
    if (isLetter(first)) {
      type = WORDS.get(text) ?? 'ILLEGAL'
      if (type === 'ILLEGAL') this.#report('illegal char')
    }
    return { type, text, at }
  }

  #report(text: string): void {
    this.fault = new HclError(`${showPosition(this.#chars.position)}: ${text}`)
  }

  #skipWhile(test: (char: number) => boolean): void {
    while (test(this.#chars.peek())) this.#chars.read()
  }

  #token(first: number): JsonTokenType {
    if (first === END) return 'EOF'
    if (isLetter(first)) {
      this.#skipWhile((char) => isLetter(char) || isDigit(char) || char === DASH)
      return 'ILLEGAL'
    }
    if (isDecimal(first) || (first === DASH && isDecimal(this.#chars.peek()))) return this.#number()
    if (first === code('"')) return this.#string()
    const sign = SIGNS.get(first)
    if (sign === undefined) this.#report('illegal char')
    return sign ?? 'ILLEGAL'
  }

  #number(): JsonTokenType {
    this.#skipWhile(isDecimal)
    const fraction = this.#chars.peek() === code('.')
    if (fraction) {
      this.#chars.read()
      this.#skipWhile(isDecimal)
    }
    const letter = this.#chars.peek()
    if (letter === code('e') || letter === code('E')) {
      this.#chars.read()
      const sign = this.#chars.peek()
      if (sign === code('+') || sign === DASH) this.#chars.read()
      this.#skipWhile(isDecimal)
    }
    return fraction ? 'FLOAT' : 'NUMBER'
  }

  #string(): JsonTokenType {
    const chars = this.#chars
    for (;;) {
      const char = chars.read()
      if (char === END || char === code('\n')) {
        this.#report('literal not terminated')
        return 'STRING'
      }
      if (char === code('"')) return 'STRING'
      if (char === code('\\')) this.#escape()
    }
  }

  #escape(): void {
    const char = this.#chars.read()
    if (ESCAPES.has(char)) return
    let digits = 0
    if (char === code('u'))
      for (; digits < 4 && isHex(this.#chars.peek()); digits++) this.#chars.read()
    if (digits < 4) this.#report('illegal char escape')
  }
}
