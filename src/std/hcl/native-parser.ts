import type { HclItem, HclKey, HclList, HclLiteral, HclNode, HclObject, Position } from './ast.ts'
import { errorAt, HclError, MAX_DEPTH, showPosition } from './hcl-error.ts'
import type { Token, TokenType } from './lexer.ts'
import { Lexer } from './lexer.ts'
import { heredocText, unquote } from './unquote.ts'

const LITERALS: ReadonlyMap<TokenType, HclLiteral['type']> = new Map([
  ['BOOL', 'bool'],
  ['NUMBER', 'number'],
  ['FLOAT', 'float'],
  ['STRING', 'string'],
  ['HEREDOC', 'heredoc'],
])

const START: Position = { line: 1, column: 1 }

/** The document ended inside an assignment: what was read before it counts, as in the reference. */
class Ended extends Error {}

interface Keys {
  readonly keys: readonly HclKey[]
  /** As in the source. */
  readonly texts: readonly string[]
}

/** Refuses what cannot follow so many names. */
const checkAfterKeys = ({ type, at }: Token, count: number): void => {
  if (type === 'ASSIGN') {
    if (count > 1) throw errorAt(at, 'nested object expected: LBRACE got: ASSIGN')
    if (count === 0) throw errorAt(at, 'no object keys found!')
  } else if (type === 'LBRACE') {
    if (count === 0) throw errorAt(at, 'expected: IDENT | STRING got: LBRACE')
  } else if (type === 'ILLEGAL') throw errorAt(at, 'illegal character')
  else if (type !== 'EOF' && (type !== 'RBRACE' || count === 0))
    throw errorAt(at, `expected: IDENT | STRING | ASSIGN | LBRACE got: ${type}`)
}

/** Recursive descent over the tokens of one document. */
class NativeParser {
  readonly #lexer: Lexer
  #ahead: Token | undefined
  #last: Token = { type: 'EOF', text: '', at: START }
  #depth = 0

  constructor(lexer: Lexer) {
    this.#lexer = lexer
  }

  document(): HclObject {
    const items: HclItem[] = []
    this.#items(items, false)
    return { kind: 'object', items, at: items[0]?.keys[0]?.at ?? START }
  }

  #peek(): Token {
    this.#ahead ??= this.#lexer.next()
    this.#last = this.#ahead
    return this.#ahead
  }

  #take(): Token {
    const token = this.#peek()
    this.#ahead = undefined
    return token
  }

  /** Reads items into `items`, which keeps them when a later one is at fault. */
  #items(items: HclItem[], nested: boolean): void {
    for (;;) {
      if (nested && this.#peek().type === 'RBRACE') return
      const keys = this.#keys()
      if (keys === undefined) return
      try {
        items.push(this.#item(keys))
      } catch (error) {
        if (error instanceof Ended) return
        throw error
      }
      // Lists of maps are written with commas at times.
      if (this.#peek().type === 'COMMA') this.#take()
    }
  }

  /**
   * The names before a `=`, `{` or `}`, which stays the last token; undefined when the document ends without any.
   */
  #keys(): Keys | undefined {
    const keys: HclKey[] = []
    const texts: string[] = []
    for (;;) {
      const token = this.#take()
      if (token.type === 'IDENT' || token.type === 'STRING') {
        keys.push({ value: this.#stringValue(token), at: token.at })
        texts.push(token.text)
        continue
      }
      if (token.type === 'EOF' && keys.length === 0) return undefined
      checkAfterKeys(token, keys.length)
      return { keys, texts }
    }
  }

  #item({ keys, texts }: Keys): HclItem {
    const token = this.#last
    if (token.type === 'ASSIGN') return { keys, assign: token.at, value: this.#value() }
    if (token.type === 'LBRACE') return { keys, assign: undefined, value: this.#object(token.at) }
    // Not the brace itself: an object that ends here must not swallow this error.
    this.#last = { ...token, type: 'EOF' }
    throw errorAt(
      token.at,
      `key '${texts.join(' ')}' expected start of object ('{') or assignment ('=')`,
    )
  }

  #value(): HclNode {
    const token = this.#take()
    const { type, text, at } = token
    const literal = LITERALS.get(type)
    if (literal !== undefined) return this.#literal(token, literal)
    if (type === 'LBRACE') return this.#object(at)
    if (type === 'LBRACK') return this.#list(at)
    if (type === 'EOF') throw new Ended()
    throw errorAt(at, `Unknown token: ${showPosition(at)} ${type} ${text}`)
  }

  #object(at: Position): HclObject {
    return this.#nested(at, () => this.#objectBody(at))
  }

  #objectBody(at: Position): HclObject {
    const items: HclItem[] = []
    try {
      this.#items(items, true)
    } catch (error) {
      // A fault at a closing brace is passed over, as in the reference: `a = }` says nothing of a.
      if (!(error instanceof HclError) || this.#last.type !== 'RBRACE') throw error
    }
    const end = this.#take()
    if (end.type !== 'RBRACE')
      throw errorAt(end.at, `object expected closing RBRACE got: ${end.type}`)
    return { kind: 'object', items, at }
  }

  #list(at: Position): HclList {
    return this.#nested(at, () => this.#listBody(at))
  }

  #listBody(at: Position): HclList {
    const items: HclNode[] = []
    let needsComma = false
    for (;;) {
      const token = this.#take()
      if (token.type === 'RBRACK') return { kind: 'list', items, at }
      if (token.type === 'COMMA') {
        this.#peek()
        needsComma = false
        continue
      }
      if (needsComma) {
        throw errorAt(
          token.at,
          `error parsing list, expected comma or list end, got: ${token.type}`,
        )
      }
      items.push(this.#element(token))
      // After a list the comma may be left out, as in the reference.
      needsComma = token.type !== 'LBRACK'
    }
  }

  #element(token: Token): HclNode {
    const { type, at } = token
    const literal = LITERALS.get(type)
    if (literal !== undefined) return this.#literal(token, literal)
    if (type === 'LBRACE') return this.#within(at, 'object', () => this.#object(at))
    if (type === 'LBRACK') return this.#within(at, 'list', () => this.#list(at))
    throw errorAt(at, `unexpected token while parsing list: ${type}`)
  }

  #within<T>(at: Position, what: string, read: () => T): T {
    try {
      return read()
    } catch (error) {
      if (!(error instanceof HclError)) throw error
      throw errorAt(at, `error while trying to parse ${what} within list: ${error.message}`)
    }
  }

  #nested<T>(at: Position, read: () => T): T {
    if (this.#depth >= MAX_DEPTH) throw errorAt(at, `nested more than ${MAX_DEPTH} deep`)
    this.#depth++
    try {
      return read()
    } finally {
      this.#depth--
    }
  }

  #literal(token: Token, type: HclLiteral['type']): HclLiteral {
    const { text, at } = token
    // A fault of the lexer may have left half a heredoc, which has no value; it is refused in the end.
    const broken = this.#lexer.fault !== undefined
    const value =
      type === 'string'
        ? this.#stringValue(token)
        : type === 'heredoc' && !broken
          ? heredocText(text)
          : text
    return { kind: 'literal', type, text, value, at }
  }

  #stringValue(token: Token): string {
    if (token.type !== 'STRING' || this.#lexer.fault !== undefined) return token.text
    const value = unquote(token.text)
    if (value === undefined) throw errorAt(token.at, `invalid string ${token.text}`)
    return value
  }
}

/** Reads HCL 1 in its native form. Throws HclError. */
export const parseNative = (text: string): HclObject => {
  // Line ends are unified first, so that no `\r` gets into heredocs.
  const lexer = new Lexer(text.replaceAll('\r\n', '\n'))
  try {
    const document = new NativeParser(lexer).document()
    if (lexer.fault === undefined) return document
  } catch (error) {
    if (!(error instanceof HclError)) throw error
    throw lexer.fault ?? error
  }
  throw lexer.fault
}
