/** A JSON value as Signet holds it. Objects are plain records: look members up with `Object.hasOwn`. */
export type Json = null | boolean | number | string | JsonNumber | readonly Json[] | JsonObject

/** A JSON object; `undefined` members count as absent. */
export interface JsonObject {
  readonly [name: string]: Json | undefined
}

/**
 * A number whose literal a JS number would not give back (`1.50`, `1e3`, `12345678901234567890`). Reference engines
 * answer such literals unchanged (settled.md 5).
 */
export class JsonNumber {
  /** The number as it was written: always a valid JSON number. */
  readonly literal: string

  constructor(literal: string) {
    this.literal = literal
  }

  /** The nearest 64-bit float; infinite for `1e999`. */
  toNumber(): number {
    return Number(this.literal)
  }
}

/** Text that is not JSON; the message is the one Go's decoder gives (settled.md 3). */
export class JsonSyntaxError extends Error {
  override readonly name = 'JsonSyntaxError'
}
