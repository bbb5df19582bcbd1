import type { HclItem, HclKey, HclList, HclLiteral, HclNode, HclObject, Position } from './ast.ts'
import { flatten } from './flatten.ts'
import { HclError, MAX_DEPTH } from './hcl-error.ts'
import type { JsonToken } from './json-lexer.ts'
import { JsonLexer } from './json-lexer.ts'

/** The reference keeps no positions of JSON values; texts show 0:0. Only a `:` has one. */
const NOWHERE: Position = { line: 0, column: 0 }

/** What a number must look like to be JSON; the lexer is more patient. */
const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/

/** Reads objects that the document ends in as if they were closed: the reference does. */
class JsonParser {
  readonly #lexer: JsonLexer
  #last: JsonToken = { type: 'EOF', text: '', at: NOWHERE }
  #depth = 0

  constructor(lexer: JsonLexer) {
    this.#lexer = lexer
  }

  document(): HclObject {
    const value = this.#value()
    if (value?.kind === 'object') return value
    throw new HclError(`Expected value, got unknown token: ${this.#show(this.#last)}`)
  }

  #take(): JsonToken {
    this.#last = this.#lexer.next()
    return this.#last
  }

  #show({ at, type, text }: JsonToken): string {
    return `${at.line}:${at.column} ${type} ${text}`
  }

  #object(): HclObject {
    return this.#nested(() => {
      const items: HclItem[] = []
      try {
        this.#items(items)
      } catch (error) {
        // A closing brace where a name is wanted ends the object: `{}`, `{"a":1,}`, `{"a"}`.
        if (!(error instanceof HclError) || this.#last.type !== 'RBRACE') throw error
      }
      return { kind: 'object', items, at: NOWHERE }
    })
  }

  #items(items: HclItem[]): void {
    for (;;) {
      const keys = this.#keys()
      if (keys === undefined) return
      const assign = this.#last.at
      const value = this.#value()
      if (value === undefined) return
      items.push({ keys, assign, value })
      if (this.#take().type !== 'COMMA') return
    }
  }

  /** The names before a `:`; undefined at the end of the document. */
  #keys(): readonly HclKey[] | undefined {
    const keys: HclKey[] = []
    for (;;) {
      const token = this.#take()
      if (token.type === 'EOF') return undefined
      if (token.type === 'ILLEGAL') throw new HclError('illegal')
      if (token.type === 'COLON' && keys.length > 0) return keys
      if (token.type !== 'STRING') throw new HclError(`expected: STRING got: ${token.type}`)
      keys.push({ value: this.#string(token), at: NOWHERE })
    }
  }

  /** Undefined at the end of the document. */
  #value(): HclNode | undefined {
    const token = this.#take()
    switch (token.type) {
      case 'EOF':
        return undefined
      case 'LBRACE':
        return this.#object()
      case 'LBRACK':
        return this.#list()
      case 'NUMBER':
      case 'FLOAT':
      case 'BOOL':
      case 'NULL':
      case 'STRING':
        return this.#literal(token)
      default:
        throw new HclError(`Expected value, got unknown token: ${this.#show(token)}`)
    }
  }

  #list(): HclList {
    return this.#nested(() => {
      const items: HclNode[] = []
      for (;;) {
        const token = this.#take()
        switch (token.type) {
          case 'COMMA':
            break
          case 'RBRACK':
            return { kind: 'list', items, at: NOWHERE }
          case 'LBRACE':
            items.push(this.#object())
            break
          // The reference drops these two, which turns "only true" into "anything": they are kept here.
          case 'LBRACK':
            items.push(this.#list())
            break
          case 'BOOL':
          case 'NUMBER':
          case 'FLOAT':
          case 'STRING':
            items.push(this.#literal(token))
            break
          default:
            throw new HclError(`unexpected token while parsing list: ${token.type}`)
        }
      }
    })
  }

  #literal(token: JsonToken): HclLiteral {
    const { type, text } = token
    const literal = (kind: HclLiteral['type'], value: string): HclLiteral => ({
      kind: 'literal',
      type: kind,
      text: value === '' ? '' : text,
      value,
      at: NOWHERE,
    })
    if (type === 'STRING') return literal('string', this.#string(token))
    if (type === 'NULL') return literal('string', '')
    if (type === 'BOOL') return literal('bool', text)
    if (!NUMBER.test(text)) throw new HclError(`${this.#show(token)}: not a number`)
    return literal(type === 'FLOAT' ? 'float' : 'number', text)
  }

  /** A string with a fault of the lexer has no value; the document is refused in the end. */
  #string(token: JsonToken): string {
    if (this.#lexer.fault !== undefined) return token.text
    try {
      return (JSON.parse(token.text) as string).toWellFormed()
    } catch {
      throw new HclError(`${token.at.line}:${token.at.column}: illegal char in string`)
    }
  }

  #nested<T>(read: () => T): T {
    const { at } = this.#last
    if (this.#depth >= MAX_DEPTH) {
      throw new HclError(`${at.line}:${at.column}: nested more than ${MAX_DEPTH} deep`)
    }
    this.#depth++
    try {
      return read()
    } finally {
      this.#depth--
    }
  }
}

/**
 * Reads the JSON form of HCL 1 to the tree that the native form gives: members that are objects become labels. What
 * follows the document is not looked at, and a document may end early, as in the reference. Throws HclError.
 */
export const parseJsonForm = (text: string): HclObject => {
  const lexer = new JsonLexer(text)
  try {
    const document = new JsonParser(lexer).document()
    if (lexer.fault === undefined) return flatten(document)
  } catch (error) {
    if (!(error instanceof HclError)) throw error
    throw lexer.fault ?? error
  }
  throw lexer.fault
}
