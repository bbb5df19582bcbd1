import type { HclItem, HclNode, HclObject } from './ast.ts'

/** The values that an item of the JSON form spells: `{"path": {"a": …, "b": …}}` is two blocks with labels. */
const spelled = (item: HclItem): readonly HclItem[] => {
  const { value } = item
  if (value.kind === 'list' && value.items.length > 0) {
    return value.items.every(({ kind }) => kind === 'object')
      ? value.items.flatMap((element) => spelled({ ...item, value: element }))
      : [item]
  }
  if (value.kind === 'object' && value.items.length > 0) {
    return value.items.every((inner) => inner.value.kind === 'object')
      ? value.items.flatMap((inner) =>
          spelled({ keys: [...item.keys, ...inner.keys], assign: item.assign, value: inner.value }),
        )
      : [item]
  }
  return [item]
}

const flattenNode = (node: HclNode): HclNode => {
  if (node.kind === 'object') return flatten(node)
  if (node.kind === 'list') return { ...node, items: node.items.map(flattenNode) }
  return node
}

/**
 * Turns members whose members are all objects into items with several keys, which is how the native form has them. The
 * items of an object come out in reverse order, as in the reference: lists of errors show it.
 */
export const flatten = (object: HclObject): HclObject => ({
  ...object,
  items: [...object.items]
    .reverse()
    .flatMap(spelled)
    .map((item) => ({ ...item, value: flattenNode(item.value) })),
})
