import { environment, parseBoolean } from './environment.ts'
import { localFailure } from './failure.ts'

/**
 * What a flag takes: `text` and `duration` one value (the last wins), `list` one a repetition,
 * `map` k=v a repetition, `integer` a whole number, `boolean` nothing or `=false`.
 */
export type FlagKind = 'boolean' | 'text' | 'duration' | 'integer' | 'list' | 'map'

/** One flag of a command; `env` is the variable's name without prefix. */
export type Flag = {
  readonly name: string
  readonly kind: FlagKind
  readonly help: string
  readonly env?: string
  readonly alias?: string
}

type Stored = string | boolean | readonly string[]

/** The flags of one call, after flag > environment > default. */
export class FlagValues {
  readonly #values: ReadonlyMap<string, Stored>
  readonly #given: ReadonlySet<string>

  constructor(values: ReadonlyMap<string, Stored>, given: ReadonlySet<string>) {
    this.#values = values
    this.#given = given
  }

  /** Whether the flag stood on the command line (the environment does not count). */
  given(name: string): boolean {
    return this.#given.has(name)
  }

  /** A text, duration or integer as written; undefined when neither flag nor variable is set. */
  text(name: string): string | undefined {
    const value = this.#values.get(name)
    return typeof value === 'string' ? value : undefined
  }

  /** A boolean; false when not set. */
  boolean(name: string): boolean {
    return this.#values.get(name) === true
  }

  /** A boolean that may be absent, for options whose absence means "as it is". */
  optionalBoolean(name: string): boolean | undefined {
    const value = this.#values.get(name)
    return typeof value === 'boolean' ? value : undefined
  }

  /** An integer; undefined when not set. */
  integer(name: string): number | undefined {
    const value = this.text(name)
    return value === undefined ? undefined : Number(value)
  }

  /** Every repetition; empty when not set. */
  list(name: string): readonly string[] {
    const value = this.#values.get(name)
    return Array.isArray(value) ? value : []
  }

  /** Every k=v repetition as an object; undefined when not set. */
  map(name: string): Record<string, string> | undefined {
    const pairs = this.list(name)
    if (!this.#values.has(name)) return undefined
    return Object.fromEntries(pairs.map((pair) => splitPair(name, pair)))
  }
}

function splitPair(name: string, pair: string): [string, string] {
  const at = pair.indexOf('=')
  if (at < 1) {
    throw localFailure(`invalid value "${pair}" for flag -${name}: missing = in KV pair: "${pair}"`)
  }
  return [pair.slice(0, at), pair.slice(at + 1)]
}

/** What the parser found. `unparsed` are words after the arguments that look like flags. */
export type ParsedArguments = {
  readonly flags: FlagValues
  readonly args: readonly string[]
  readonly unparsed: readonly string[]
  readonly help: boolean
}

/**
 * Parses a command's words: its own flags only before the first argument unless `anywhere` says
 * otherwise, the global ones anywhere before `--` (spec/cli.md). Throws a local failure for an
 * unknown flag or a bad value.
 */
export function parseArguments(
  words: readonly string[],
  globals: readonly Flag[],
  own: readonly Flag[],
  env: Readonly<Record<string, string | undefined>>,
  anywhere = false,
): ParsedArguments {
  const globalByName = byName(globals)
  const ownByName = byName(own)
  const values = new Map<string, Stored>()
  const given = new Set<string>()
  const args: string[] = []
  const unparsed: string[] = []
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? ''
    if (word === '--') {
      args.push(...words.slice(at + 1))
      break
    }
    const parts = flagParts(word)
    if (parts === undefined) {
      args.push(word)
      continue
    }
    const known = globalByName.get(parts.name)
    const early = anywhere || args.length === 0
    const flag = early ? (ownByName.get(parts.name) ?? known) : known
    if (flag === undefined) {
      if (!early) {
        args.push(word)
        unparsed.push(word)
        continue
      }
      if (parts.name === 'h' || parts.name === 'help') {
        return { flags: new FlagValues(values, given), args, unparsed, help: true }
      }
      throw localFailure(`flag provided but not defined: -${parts.name}`)
    }
    let text = parts.value
    if (text === undefined && flag.kind !== 'boolean') {
      at += 1
      text = words[at]
      if (text === undefined) throw localFailure(`flag needs an argument: -${parts.name}`)
    }
    store(values, flag, text ?? 'true', given.has(flag.name))
    given.add(flag.name)
  }
  for (const flag of [...globals, ...own]) {
    if (flag.env === undefined || given.has(flag.name)) continue
    const text = environment(env, flag.env)
    if (text !== undefined && (text !== '' || flag.kind === 'text')) {
      store(values, flag, text, false)
    }
  }
  return { flags: new FlagValues(values, given), args, unparsed, help: false }
}

function byName(flags: readonly Flag[]): Map<string, Flag> {
  const map = new Map<string, Flag>()
  for (const flag of flags) {
    map.set(flag.name, flag)
    if (flag.alias !== undefined) map.set(flag.alias, flag)
  }
  return map
}

// A lone "-" is an argument: standard input.
function flagParts(word: string): { name: string; value: string | undefined } | undefined {
  if (!word.startsWith('-') || word === '-') return undefined
  const body = word.startsWith('--') ? word.slice(2) : word.slice(1)
  const at = body.indexOf('=')
  if (at < 0) return { name: body, value: undefined }
  return { name: body.slice(0, at), value: body.slice(at + 1) }
}

// Seconds, or Go's units and days; "system" resets a mount's limit.
const durationForm =
  /^(?:|system|[+-]?\d+|[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h|d))+)$/

function store(values: Map<string, Stored>, flag: Flag, text: string, repeated: boolean): void {
  const bad = (why: string): Error =>
    localFailure(`invalid value "${text}" for flag -${flag.name}: ${why}`)
  switch (flag.kind) {
    case 'boolean': {
      const value = parseBoolean(text)
      if (value === undefined) throw bad('parse error')
      values.set(flag.name, value)
      return
    }
    case 'integer': {
      if (!/^[+-]?\d+$/.test(text) || !Number.isSafeInteger(Number(text))) throw bad('parse error')
      values.set(flag.name, text)
      return
    }
    case 'duration': {
      if (!durationForm.test(text)) throw bad('invalid duration')
      values.set(flag.name, text)
      return
    }
    case 'list':
    case 'map': {
      const before = values.get(flag.name)
      values.set(flag.name, repeated && Array.isArray(before) ? [...before, text] : [text])
      return
    }
    case 'text':
      values.set(flag.name, text)
  }
}

/** A command's flags as its help shows them. */
export function flagsHelp(flags: readonly Flag[]): string {
  return flags
    .map((flag) => {
      const value = flag.kind === 'boolean' ? '' : `=<${flag.kind === 'map' ? 'k=v' : flag.kind}>`
      return `  -${flag.name}${value}\n      ${flag.help}\n`
    })
    .join('\n')
}
