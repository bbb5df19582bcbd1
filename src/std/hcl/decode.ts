import type { HclItem, HclList, HclNode, HclObject, Position } from './ast.ts'
import { readGoInteger } from './go-integer.ts'
import { errorAt, HclError } from './hcl-error.ts'
import type { HclValue } from './value.ts'
import { hclToValue } from './value.ts'

/*
 * Reads what a tree says into typed values, with the texts of Go's HCL 1 where the type is another. Each reader is given
 * all the items of one name, their first key taken off (`select`), and throws HclError. Names are `root.<field>`.
 */

/** The items with this name, without it. As in the reference, letter case is not looked at. */
export const select = (object: HclObject, name: string): readonly HclItem[] =>
  object.items
    .filter(({ keys }) => keys[0]?.value.toLowerCase() === name.toLowerCase())
    .map(({ keys, ...item }) => ({ ...item, keys: keys.slice(1) }))

const GO_TYPES = { literal: '*ast.LiteralType', list: '*ast.ListType', object: '*ast.ObjectType' }

const itemAt = ({ keys, value }: HclItem): Position => keys[0]?.at ?? value.at

/** Where a run of items begins. */
const itemsAt = (items: readonly HclItem[], fallback: Position): Position =>
  items[0] === undefined ? fallback : itemAt(items[0])

const stringOf = (name: string, node: HclNode): string => {
  if (node.kind === 'literal' && node.type !== 'bool' && node.type !== 'float') return node.value
  const [at, type] =
    node.kind === 'object'
      ? [itemsAt(node.items, node.at), '*ast.ObjectList']
      : [node.at, GO_TYPES[node.kind]]
  throw errorAt(at, `${name}: unknown type for string ${type}`)
}

const refuseLabels = (name: string, items: readonly HclItem[], what: string): void => {
  const labelled = items.find(({ keys }) => keys.length > 0)
  if (labelled !== undefined) throw errorAt(itemAt(labelled), `${name}: ${what} *ast.ObjectList`)
}

/** A string; numbers are taken as they are written. Of several the last counts; undefined when there is none. */
export const decodeString = (name: string, items: readonly HclItem[]): string | undefined => {
  refuseLabels(name, items, 'unknown type for string')
  let text: string | undefined
  for (const { value } of items) text = stringOf(name, value)
  return text
}

/** An integer, or a string that is one in Go's form. Of several the last counts; undefined when there is none. */
export const decodeInteger = (name: string, items: readonly HclItem[]): bigint | undefined => {
  refuseLabels(name, items, 'unknown type')
  let found: bigint | undefined
  for (const { value } of items) {
    if (value.kind !== 'literal' || (value.type !== 'number' && value.type !== 'string'))
      throw errorAt(value.at, `${name}: unknown type ${GO_TYPES[value.kind]}`)
    const integer = readGoInteger(value.value)
    if (typeof integer === 'string')
      throw new HclError(`strconv.ParseInt: parsing ${JSON.stringify(value.value)}: ${integer}`)
    found = integer
  }
  return found
}

/** The elements of a list; those of an object are its items, which are of no use to most readers. */
const elementsOf = (node: HclNode): HclList['items'] | readonly HclItem[] => {
  if (node.kind === 'list') return node.items
  if (node.kind === 'object') return node.items
  throw errorAt(node.at, `unknown slice type: ${GO_TYPES[node.kind]}`)
}

/** A list of strings; several lists add up. Undefined when there is none. */
export const decodeStrings = (
  name: string,
  items: readonly HclItem[],
): readonly string[] | undefined => {
  if (items.length === 0) return undefined
  const strings: string[] = []
  for (const item of items) {
    const elements = item.keys.length > 0 ? [item] : elementsOf(item.value)
    elements.forEach((element, i) => {
      const path = `${name}[${i}]`
      if ('keys' in element)
        throw errorAt(itemAt(element), `${path}: unknown type for string *ast.ObjectItem`)
      strings.push(stringOf(path, element))
    })
  }
  return strings
}

/** The values of a list as plain values; an object is a list of one. */
const valuesOf = (node: HclNode): readonly HclValue[] => {
  if (node.kind === 'list') return node.items.map(hclToValue)
  if (node.kind === 'object') return [hclToValue(node)]
  throw errorAt(node.at, `unknown slice type: ${GO_TYPES[node.kind]}`)
}

/**
 * An object whose members are lists of any values; lists of one name add up, in the order of the text. Undefined when
 * there is none.
 */
export const decodeLists = (
  name: string,
  items: readonly HclItem[],
): ReadonlyMap<string, readonly HclValue[]> | undefined => {
  if (items.length === 0) return undefined
  const lists = new Map<string, HclValue[]>()
  const add = ({ keys, value }: HclItem): void => {
    const [key, ...labels] = keys
    if (key === undefined) return
    const values =
      labels.length > 0
        ? [
            hclToValue({
              kind: 'object',
              items: [{ keys: labels, assign: undefined, value }],
              at: value.at,
            }),
          ]
        : valuesOf(value)
    const known = lists.get(key.value)
    if (known === undefined) lists.set(key.value, [...values])
    else for (const value of values) known.push(value)
  }
  for (const item of items) {
    if (item.keys.length > 0) add(item)
    else if (item.value.kind === 'object') for (const inner of item.value.items) add(inner)
    else {
      const { at, kind } = item.value
      throw errorAt(at, `${name}: not an object type for map (${GO_TYPES[kind]})`)
    }
  }
  return lists
}

/** Anything, as a plain value. Of several the last counts; undefined when there is none. */
export const decodeAny = (items: readonly HclItem[]): HclValue | undefined => {
  const last = items.at(-1)
  return last && hclToValue(last.value)
}
