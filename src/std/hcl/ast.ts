/** Where something stands: both count from 1, columns in code points. JSON gives 0:0, as HCL 1 does for it. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** A literal. `text` is what the source says, `value` what a string means; for the others the two are the same. */
export interface HclLiteral {
  readonly kind: 'literal'
  readonly type: 'string' | 'heredoc' | 'number' | 'float' | 'bool'
  readonly text: string
  readonly value: string
  readonly at: Position
}

/** `[ … ]` */
export interface HclList {
  readonly kind: 'list'
  readonly items: readonly HclNode[]
  readonly at: Position
}

/** `{ … }`, and the document itself. Names may repeat. */
export interface HclObject {
  readonly kind: 'object'
  readonly items: readonly HclItem[]
  readonly at: Position
}

export type HclNode = HclLiteral | HclList | HclObject

/** `name = value` or a block with its labels: `listener "tcp" { … }` has the keys `listener` and `tcp`. */
export interface HclItem {
  /** At least one, unless decoding took them off. */
  readonly keys: readonly HclKey[]
  /** Of the `=` or `:`; undefined for blocks. */
  readonly assign: Position | undefined
  readonly value: HclNode
}

/** A name: `value` without quotes. */
export interface HclKey {
  readonly value: string
  readonly at: Position
}
