import type { HclItem, HclNode, HclObject } from '../std/hcl/ast.ts'
import { DurationError, parseVaultNanoseconds } from '../std/go-duration.ts'
import { ConfigError } from './config-error.ts'

const trueTexts: ReadonlySet<string> = new Set(['1', 't', 'T', 'true', 'TRUE', 'True'])
const falseTexts: ReadonlySet<string> = new Set(['', '0', 'f', 'F', 'false', 'FALSE', 'False'])

/** A block below another one, with the words between its name and its brace. */
export type LabelledBlock = { readonly labels: readonly string[]; readonly block: ConfigBlock }

/**
 * The settings between two braces of a configuration file. Every kind of value may also be written as a text; the last
 * of equal names wins. What no reader asked for is listed by `unread`.
 */
export class ConfigBlock {
  readonly #items: readonly HclItem[]
  readonly #where: string
  readonly #read = new Set<string>()

  /** `where` begins every message about this block. */
  constructor(object: HclObject, where: string) {
    this.#items = object.items
    this.#where = where
  }

  /** An error about this block. */
  wrong(why: string): ConfigError {
    return new ConfigError(`${this.#where}: ${why}`)
  }

  /** A text; numbers and booleans as they are written. */
  text(name: string): string | undefined {
    const node = this.#last(name)
    if (node === undefined) return undefined
    if (node.kind !== 'literal') throw this.wrong(`${name} must be a text`)
    return node.value
  }

  /** A boolean. */
  boolean(name: string): boolean | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    if (trueTexts.has(text)) return true
    if (falseTexts.has(text)) return false
    throw this.wrong(`${name} must be true or false, not ${JSON.stringify(text)}`)
  }

  /** A whole number. */
  integer(name: string): number | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    const value = Number(text)
    if (!/^-?\d+$/.test(text) || !Number.isSafeInteger(value)) {
      throw this.wrong(`${name} must be a whole number, not ${JSON.stringify(text)}`)
    }
    return value
  }

  /** Milliseconds of a duration: seconds, or `90s`, `1h30m`, `2d`; never negative. */
  milliseconds(name: string): number | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    try {
      const value = Number(parseVaultNanoseconds(text) / 1_000_000n)
      if (value >= 0) return value
    } catch (error) {
      if (!(error instanceof DurationError)) throw error
    }
    throw this.wrong(`${name} must be a duration like 90s or 768h, not ${JSON.stringify(text)}`)
  }

  /** Whole seconds of a duration. */
  seconds(name: string): number | undefined {
    const value = this.milliseconds(name)
    return value === undefined ? undefined : Math.floor(value / 1000)
  }

  /** A list of texts; one text is a list separated by commas. */
  texts(name: string): readonly string[] | undefined {
    const node = this.#last(name)
    if (node === undefined) return undefined
    if (node.kind === 'literal') {
      return node.value
        .split(',')
        .map((each) => each.trim())
        .filter((each) => each !== '')
    }
    if (node.kind === 'object') throw this.wrong(`${name} must be a list of texts`)
    return node.items.map((item) => {
      if (item.kind !== 'literal') throw this.wrong(`${name} must be a list of texts`)
      return item.value
    })
  }

  /** The blocks of a name with so many labels: `listener "tcp" { … }` has one. Empty when there are none. */
  blocks(name: string, labels: number): LabelledBlock[] {
    this.#read.add(name)
    return this.#items
      .filter((item) => item.keys[0]?.value === name)
      .flatMap((item) =>
        this.#labelled(
          item.keys.slice(1).map((key) => key.value),
          item.value,
          name,
          labels,
        ),
      )
  }

  /** The names and values of the block of a name, whatever they are called; undefined when there is none. */
  texted(name: string): ReadonlyMap<string, string> | undefined {
    const all = this.blocks(name, 0)
    if (all.length === 0) return undefined
    return new Map(
      all.flatMap(({ block }) => block.names().map((key) => [key, block.text(key) ?? ''] as const)),
    )
  }

  /** Every name in it. */
  names(): string[] {
    return [
      ...new Set(this.#items.flatMap((item) => item.keys.slice(0, 1).map((key) => key.value))),
    ]
  }

  /** The names that nobody read. */
  unread(): string[] {
    return this.names().filter((name) => !this.#read.has(name))
  }

  #last(name: string): HclNode | undefined {
    this.#read.add(name)
    const item = this.#items.findLast((each) => each.keys[0]?.value === name)
    if (item !== undefined && item.keys.length > 1) throw this.wrong(`${name} must not be a block`)
    return item?.value
  }

  // JSON, and blocks written with fewer labels, hold the labels as names one level down.
  #labelled(
    labels: readonly string[],
    value: HclNode,
    name: string,
    wanted: number,
  ): LabelledBlock[] {
    if (value.kind === 'list') {
      return value.items.flatMap((item) => this.#labelled(labels, item, name, wanted))
    }
    if (value.kind === 'literal') {
      const form = [name, ...Array.from({ length: wanted }, () => '"…"')].join(' ')
      throw this.wrong(`${name} must be a block: ${form} { … }`)
    }
    if (labels.length < wanted) {
      return value.items.flatMap((item) =>
        this.#labelled([...labels, ...item.keys.map((key) => key.value)], item.value, name, wanted),
      )
    }
    // JSON objects of nothing but objects come as one block whose labels are their names.
    if (labels.length > wanted) {
      const keys = labels.slice(wanted).map((label) => ({ value: label, at: value.at }))
      const object: HclObject = {
        kind: 'object',
        items: [{ keys, assign: undefined, value }],
        at: value.at,
      }
      return this.#labelled(labels.slice(0, wanted), object, name, wanted)
    }
    const where = [name, ...labels.map((label) => JSON.stringify(label))].join(' ')
    return [{ labels, block: new ConfigBlock(value, `${this.#where}: ${where}`) }]
  }
}
