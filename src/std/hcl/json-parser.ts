import type { HclItem, HclKey, HclList, HclLiteral, HclNode, HclObject, Position } from './ast.ts'
import { flatten } from './flatten.ts'
import { HclError, MAX_DEPTH, showPosition } from './hcl-error.ts'
import type { JsonToken } from './json-lexer.ts'
import { JsonLexer } from './json-lexer.ts'

/** The reference keeps no positions of JSON values; texts show 0:0. Only a `:` has one. */
const NOWHERE: Position = { line: 0, column: 0 }

/** What a number must look like to be JSON; the lexer is more patient. */
const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/

const show = ({ at, type, text }: JsonToken): string => `${showPosition(at)} ${type} ${text}`

const literal = (type: HclLiteral['type'], text: string, value: string): HclLiteral => ({
  kind: 'literal',
  type,
  text,
  value,
  at: NOWHERE,
})

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
    throw new HclError(`Expected value, got unknown token: ${show(this.#last)}`)
  }

  #take(): JsonToken {
    this.#last = this.#lexer.next()
    return this.#last
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
    if (token.type === 'EOF') return undefined
    if (token.type === 'LBRACE') return this.#object()
    if (token.type === 'LBRACK') return this.#list()
    if (token.type === 'NULL') return literal('string', '', '')
    const value = this.#literal(token)
    if (value !== undefined) return value
    throw new HclError(`Expected value, got unknown token: ${show(token)}`)
  }

  #list(): HclList {
    return this.#nested(() => {
      const items: HclNode[] = []
      for (;;) {
        const token = this.#take()
        if (token.type === 'RBRACK') return { kind: 'list', items, at: NOWHERE }
        if (token.type !== 'COMMA') items.push(this.#element(token))
      }
    })
  }

  /** Lists and booleans are kept: the reference drops them here, which turns "only true" into "anything". */
  #element(token: JsonToken): HclNode {
    if (token.type === 'LBRACE') return this.#object()
    if (token.type === 'LBRACK') return this.#list()
    const value = this.#literal(token)
    if (value !== undefined) return value
    throw new HclError(`unexpected token while parsing list: ${token.type}`)
  }

  /** Undefined when the token is none. */
  #literal(token: JsonToken): HclLiteral | undefined {
    const { type, text } = token
    if (type === 'STRING') return literal('string', text, this.#string(token))
    if (type === 'BOOL') return literal('bool', text, text)
    if (type !== 'NUMBER' && type !== 'FLOAT') return undefined
    if (!NUMBER.test(text)) throw new HclError(`${show(token)}: not a number`)
    return literal(type === 'FLOAT' ? 'float' : 'number', text, text)
  }

  /** A string with a fault of the lexer has no value; the document is refused in the end. */
  #string(token: JsonToken): string {
    if (this.#lexer.fault !== undefined) return token.text
    try {
      return (JSON.parse(token.text) as string).toWellFormed()
    } catch {
      throw new HclError(`${showPosition(token.at)}: illegal char in string`)
    }
  }

  #nested<T>(read: () => T): T {
    const { at } = this.#last
    if (this.#depth >= MAX_DEPTH) {
      throw new HclError(`${showPosition(at)}: nested more than ${MAX_DEPTH} deep`)
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
