/** Freezes a value and all its parts. By `in`, which makes no list of them: each record that is kept comes by here. */
export const freezeDeep = (value: unknown): void => {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return
  Object.freeze(value)
  for (const name in value) freezeDeep((value as Record<string, unknown>)[name])
}
