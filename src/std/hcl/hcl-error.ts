import type { Position } from './ast.ts'

/** A document that is not HCL, or a value of another type than wanted, in the words of Go's HCL 1 (settled.md 3). */
export class HclError extends Error {
  override readonly name = 'HclError'
}

/** `12:7` */
export const showPosition = ({ line, column }: Position): string => `${line}:${column}`

/** The usual form: `At 1:27: …`. */
export const errorAt = (at: Position, text: string): HclError =>
  new HclError(`At ${showPosition(at)}: ${text}`)

/** Deeper nesting than this is refused: nobody writes it, and the parsers recurse. */
export const MAX_DEPTH = 250
