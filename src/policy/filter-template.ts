import { unquote } from '../std/hcl/unquote.ts'
import type { FilterFunction, FilterValue } from './filter-functions.ts'
import { FUNCTIONS, isTrue, show } from './filter-functions.ts'
import { goQuote } from '../std/go-quote.ts'

/** A text that is no template; the message begins as Go's text/template words it. */
export class FilterSyntaxError extends Error {
  override readonly name = 'FilterSyntaxError'
}

type Data = Readonly<Record<string, string>>
type Expression = (data: Data) => FilterValue
type Render = (data: Data) => string

type TokenKind = 'field' | 'word' | 'text' | 'number' | '|' | '(' | ')'
interface Token {
  readonly kind: TokenKind
  readonly text: string
}

/** A piece of the template: text as it is, or what stands between `{{` and `}}`. */
type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly tokens: readonly Token[]; readonly line: number }

const MAX_DEPTH = 50
const BLANK = /[ \t\r\n]/
const WORD = /[\p{L}\p{Nd}_]/u
const NUMBER = /^[+-]?\d+$/

const fail = (line: number, text: string): FilterSyntaxError =>
  new FilterSyntaxError(`template: template:${line}: ${text}`)

const countLines = (source: string, from: number, to: number): number => {
  let count = 0
  for (let at = source.indexOf('\n', from); at !== -1 && at < to; at = source.indexOf('\n', at + 1))
    count++
  return count
}

/** The end of a quoted text that begins at `at`, its closing quote included; -1 when it does not end. */
const quotedEnd = (source: string, at: number): number => {
  const quote = source[at]
  for (let i = at + 1; i < source.length; i++) {
    if (quote === '"' && source[i] === '\n') return -1
    if (quote === '"' && source[i] === '\\') i++
    else if (source[i] === quote) return i + 1
  }
  return -1
}

const wordEnd = (source: string, at: number): number => {
  let end = at
  while (end < source.length && WORD.test(source[end]!)) end++
  return end
}

/** Reads the tokens of an action up to its `}}`; `next` is behind them. */
const scanAction = (
  source: string,
  from: number,
  line: number,
): { readonly tokens: readonly Token[]; readonly next: number; readonly trimRight: boolean } => {
  const tokens: Token[] = []
  let at = from
  for (;;) {
    const char = source[at]
    if (char === undefined) throw fail(line, 'unclosed action')
    if (source.startsWith('}}', at)) return { tokens, next: at + 2, trimRight: false }
    if (BLANK.test(char)) {
      if (source.startsWith('-}}', at + 1)) return { tokens, next: at + 4, trimRight: true }
      at++
      continue
    }
    let end = at + 1
    let kind: TokenKind
    if (char === '"' || char === '`') {
      end = quotedEnd(source, at)
      if (end === -1)
        throw fail(
          line,
          char === '"' ? 'unterminated quoted string' : 'unterminated raw quoted string',
        )
      kind = 'text'
    } else if (char === '|' || char === '(' || char === ')') kind = char
    else if (char === '.') {
      while (source[end - 1] === '.' && WORD.test(source[end] ?? '')) {
        end = wordEnd(source, end)
        if (source[end] === '.') end++
      }
      kind = 'field'
    } else if (
      WORD.test(char) ||
      ((char === '-' || char === '+') && WORD.test(source[end] ?? ''))
    ) {
      end = wordEnd(source, end)
      kind = NUMBER.test(source.slice(at, end)) ? 'number' : 'word'
    } else throw fail(line, `unexpected ${goQuote(char)} in command`)
    tokens.push({ kind, text: source.slice(at, end) })
    at = end
  }
}

const COMMENT = /^(- )?\/\*/

const cut = (source: string): readonly Piece[] => {
  const pieces: Piece[] = []
  let at = 0
  let line = 1
  let trimLeft = false
  for (;;) {
    const open = source.indexOf('{{', at)
    const trimRight = open !== -1 && BLANK.test(source[open + 3] ?? '') && source[open + 2] === '-'
    let text = source.slice(at, open === -1 ? source.length : open)
    if (trimLeft) text = text.trimStart()
    if (trimRight) text = text.trimEnd()
    if (text !== '') pieces.push({ kind: 'text', text })
    if (open === -1) return pieces
    const start = open + (trimRight ? 4 : 2)
    line += countLines(source, at, open)
    if (COMMENT.test(source.slice(open + 2, open + 6))) {
      const end = source.indexOf('*/', start)
      if (end === -1) throw fail(line, 'unclosed comment')
      trimLeft = source.startsWith(' -}}', end + 2)
      if (!trimLeft && !source.startsWith('}}', end + 2))
        throw fail(line, 'comment ends before closing delimiter')
      at = end + (trimLeft ? 6 : 4)
      line += countLines(source, open, at)
      continue
    }
    const action = scanAction(source, start, line)
    pieces.push({ kind: 'action', tokens: action.tokens, line })
    at = action.next
    line += countLines(source, open, at)
    trimLeft = action.trimRight
  }
}

const fieldOf = (path: string, line: number): Expression => {
  const names = path.split('.').slice(1)
  if (names.length !== 1) {
    throw fail(line, `nil data; no entry for key ${goQuote(names.slice(1).join('.'))}`)
  }
  const name = names[0]!
  if (name === '') throw fail(line, 'unexpected <.> in operand')
  return (data) => (Object.hasOwn(data, name) ? data[name] : undefined)
}

const call = (
  name: string,
  { least, most, apply }: FilterFunction,
  args: readonly Expression[],
  line: number,
): Expression => {
  if (args.length < least || args.length > most) {
    throw fail(line, `wrong number of args for ${name}: got ${args.length}`)
  }
  return (data) => apply(args.map((argument) => argument(data)))
}

/** Reads the tokens of one action as a pipeline. */
class Pipeline {
  readonly #tokens: readonly Token[]
  readonly #line: number
  #at = 0
  #depth = 0

  constructor(tokens: readonly Token[], line: number) {
    this.#tokens = tokens
    this.#line = line
  }

  whole(): Expression {
    const expression = this.#pipeline()
    if (this.#at < this.#tokens.length) throw fail(this.#line, 'unexpected right paren')
    return expression
  }

  #pipeline(): Expression {
    if (++this.#depth > MAX_DEPTH) throw fail(this.#line, 'max expression depth exceeded')
    let value = this.#command(undefined)
    while (this.#tokens[this.#at]?.kind === '|') {
      this.#at++
      value = this.#command(value)
    }
    this.#depth--
    return value
  }

  /** A function with its arguments or a lone operand; what was piped in becomes the last argument. */
  #command(piped: Expression | undefined): Expression {
    const first = this.#tokens[this.#at]
    if (first === undefined || first.kind === '|' || first.kind === ')')
      throw fail(this.#line, 'missing value for command')
    const known = first.kind === 'word' ? FUNCTIONS.get(first.text) : undefined
    if (known !== undefined) {
      this.#at++
      const args = this.#operands()
      if (piped !== undefined) args.push(piped)
      return call(first.text, known, args, this.#line)
    }
    const operands = this.#operands()
    if (operands.length > 1 || piped !== undefined)
      throw fail(this.#line, `can't give argument to non-function ${first.text}`)
    return operands[0]!
  }

  #operands(): Expression[] {
    const operands: Expression[] = []
    for (;;) {
      const token = this.#tokens[this.#at]
      if (token === undefined || token.kind === '|' || token.kind === ')') return operands
      this.#at++
      operands.push(this.#operand(token))
    }
  }

  #operand({ kind, text }: Token): Expression {
    if (kind === '(') return this.#parenthesised()
    if (kind === 'field') return fieldOf(text, this.#line)
    if (kind !== 'number' && kind !== 'text') return this.#word(text)
    const value = kind === 'number' ? Number(text) : this.#literal(text)
    return () => value
  }

  #literal(text: string): string {
    const value = text.startsWith('`') ? text.slice(1, -1) : unquote(text)
    if (value === undefined) throw fail(this.#line, 'invalid syntax')
    return value
  }

  #word(text: string): Expression {
    if (text === 'true' || text === 'false') return () => text === 'true'
    const known = FUNCTIONS.get(text)
    if (known === undefined) throw fail(this.#line, `function ${goQuote(text)} not defined`)
    return call(text, known, [], this.#line)
  }

  #parenthesised(): Expression {
    const inner = this.#pipeline()
    if (this.#tokens[this.#at]?.kind !== ')') throw fail(this.#line, 'unclosed left paren')
    this.#at++
    return inner
  }
}

/** Reads pieces as text, actions and `{{if …}} … {{else}} … {{end}}`. */
class Pieces {
  readonly #pieces: readonly Piece[]
  #at = 0
  #depth = 0

  constructor(pieces: readonly Piece[]) {
    this.#pieces = pieces
  }

  whole(): Render {
    const { render, stop } = this.#until()
    if (stop !== undefined) throw fail(stop.line, `unexpected {{${stop.word}}}`)
    return render
  }

  /** Up to an `else` or `end`, which is taken; undefined at the end of the template. */
  #until(): {
    readonly render: Render
    readonly stop:
      | { readonly word: 'else' | 'end'; readonly rest: readonly Token[]; readonly line: number }
      | undefined
  } {
    const parts: Render[] = []
    const render: Render = (data) => parts.map((part) => part(data)).join('')
    for (;;) {
      const piece = this.#pieces[this.#at++]
      if (piece === undefined) return { render, stop: undefined }
      if (piece.kind === 'text') {
        parts.push(() => piece.text)
        continue
      }
      const { tokens, line } = piece
      const [first, ...rest] = tokens
      if (first?.kind === 'word' && (first.text === 'else' || first.text === 'end'))
        return { render, stop: { word: first.text, rest, line } }
      if (first?.kind === 'word' && first.text === 'if') parts.push(this.#condition(rest, line))
      else {
        const value = new Pipeline(tokens, line).whole()
        parts.push((data) => show(value(data)))
      }
    }
  }

  #condition(tokens: readonly Token[], line: number): Render {
    if (++this.#depth > MAX_DEPTH) throw fail(line, 'max expression depth exceeded')
    const test = new Pipeline(tokens, line).whole()
    const { render: then, stop } = this.#until()
    if (stop === undefined) throw fail(line, 'unexpected EOF')
    const otherwise = stop.word === 'end' ? undefined : this.#otherwise(stop.rest, line)
    this.#depth--
    return (data) => (isTrue(test(data)) ? then(data) : (otherwise?.(data) ?? ''))
  }

  #otherwise([first, ...rest]: readonly Token[], line: number): Render {
    // `else if` shares the `end` of what it belongs to.
    if (first?.kind === 'word' && first.text === 'if') return this.#condition(rest, line)
    if (first !== undefined) throw fail(line, `unexpected ${goQuote(first.text)} in else`)
    const { render, stop } = this.#until()
    if (stop?.word !== 'end') throw fail(line, 'unexpected EOF')
    return render
  }
}

/**
 * Compiles the part of Go's text/template that list filters need: texts, `.path` and `.key`, literals, pipes,
 * parentheses, FUNCTIONS, `if`/`else`/`end`, comments and trim markers. Throws FilterSyntaxError; what is returned
 * throws FilterError when a function is given what it does not take.
 */
export const compileFilter = (source: string): Render => new Pieces(cut(source)).whole()
