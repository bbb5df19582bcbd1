import { goLower } from '../../std/go-lower.ts'

/** Policies lower-cased, sorted and each once, as tokens carry them; `root` leaves nothing beside it. */
export const normalPolicies = (policies: readonly string[]): readonly string[] => {
  const names = policies.map((name) => goLower(name.trim())).filter((name) => name !== '')
  return names.includes('root') ? ['root'] : [...new Set(names)].sort()
}

/** Whether two lists grant the same: order, repetition and `default` do not count. */
export const samePolicies = (left: readonly string[], right: readonly string[]): boolean => {
  const [one, other] = [left, right].map((list) =>
    normalPolicies(list)
      .filter((name) => name !== 'default')
      .join('\n'),
  )
  return one === other
}
