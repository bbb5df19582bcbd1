import type { HclItem, HclLiteral, HclNode, HclObject } from './ast.ts'
import { goInteger } from './go-integer.ts'

/** A document as plain values. */
export type HclValue = string | number | boolean | readonly HclValue[] | HclBlock

/** An object of such values; without a prototype, so that any name is just a name. */
export interface HclBlock {
  readonly [name: string]: HclValue
}

const literalValue = ({ type, value }: HclLiteral): HclValue => {
  if (type === 'bool') return value === 'true'
  if (type === 'float') return Number(value)
  if (type === 'number') return Number(goInteger(value) ?? value)
  return value
}

const nodeValue = (node: HclNode): HclValue => {
  if (node.kind === 'literal') return literalValue(node)
  if (node.kind === 'list') return node.items.map(nodeValue)
  return itemsValue(node.items)
}

/** What one name holds: an object, or several, become a list of objects; of repeated literals the last counts. */
const gather = (items: readonly HclItem[]): HclValue => {
  const many: HclValue[] = []
  let last: HclValue | undefined
  for (const item of items) {
    const { keys, value } = item
    if (keys.length > 0) many.push(itemsValue([item]))
    else if (value.kind === 'object') many.push(itemsValue(value.items))
    else if (value.kind === 'list') for (const element of value.items) many.push(nodeValue(element))
    else last = literalValue(value)
  }
  if (last === undefined) return many
  if (many.length > 0) many.push(last)
  return many.length > 0 ? many : last
}

const itemsValue = (items: readonly HclItem[]): HclBlock => {
  const byName = new Map<string, HclItem[]>()
  for (const { keys, ...rest } of items) {
    const [first, ...others] = keys
    if (first === undefined) continue
    const known = byName.get(first.value)
    const item = { ...rest, keys: others }
    if (known === undefined) byName.set(first.value, [item])
    else known.push(item)
  }
  const block: Record<string, HclValue> = Object.create(null)
  for (const [name, known] of byName) block[name] = gather(known)
  return block
}

/**
 * A tree as plain values. Literals and lists are what they say; every block or object that a name holds is in a list, so
 * that one block and several are read alike, and a block's labels nest:
 * `listener "tcp" { address = "a" }` is `{ listener: [{ tcp: [{ address: 'a' }] }] }`. Objects that are elements of a
 * list stay objects. A name given twice: blocks and lists add up, of other values the last counts.
 */
export const hclToValue = (node: HclNode): HclValue => nodeValue(node)

/** The same for a whole document. */
export const hclToBlock = (document: HclObject): HclBlock => itemsValue(document.items)
