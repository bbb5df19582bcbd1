import type { LiteralObject, LiteralValue } from '../client/literal-json.ts'
import { isObject, isRawNumber, sortedKeys } from '../client/literal-json.ts'

/** A value as a YAML document in block form, keys in order, ending with a newline. */
export function yamlText(value: LiteralValue): string {
  return `${block(value, 0).replace(/^\n/, '')}\n`
}

// A nested block begins with a newline; a scalar does not.
function block(value: LiteralValue, depth: number): string {
  const indent = '  '.repeat(depth)
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]'
    const items: readonly LiteralValue[] = value
    return items
      .map((item) => {
        const nested = block(item, depth + 1)
        // The first line of a nested block follows its dash.
        return `\n${indent}- ${nested.startsWith('\n') ? nested.slice(1).trimStart() : nested}`
      })
      .join('')
  }
  if (isObject(value)) {
    const object: LiteralObject = value
    const keys = sortedKeys(object)
    if (keys.length === 0) return '{}'
    return keys
      .map((key) => {
        const item = object[key] ?? null
        // Lists stand at the depth of their key, as is usual.
        const nested = block(item, Array.isArray(item) ? depth : depth + 1)
        const gap = nested.startsWith('\n') ? '' : ' '
        return `\n${indent}${scalar(key)}:${gap}${nested}`
      })
      .join('')
  }
  return isRawNumber(value) ? value.rawJSON : scalar(value as string | number | boolean | null)
}

const reserved = /^(?:|~|null|true|false|yes|no|on|off|y|n)$/i
// Plain scalars that a reader could take for something else are quoted.
const plain = /^[A-Za-z_/][A-Za-z0-9_./+=@-]*(?: [A-Za-z0-9_./+=@-]+)*$/

function scalar(value: string | number | boolean | null): string {
  if (typeof value !== 'string') return String(value)
  if (plain.test(value) && !reserved.test(value)) return value
  return JSON.stringify(value)
}
