import type { AclRule } from './acl-rule.ts'
import type { Rules, RulesByKind, RuleTable } from './rule-table.ts'
import { barePath, grants, wins } from './rule-table.ts'

/**
 * Rules that many share, and those that are only somebody's own, whose patterns name them: as one table of both would decide. No
 * pattern is in both.
 */
export class LayeredRules implements Rules {
  readonly #shared: RuleTable
  readonly #own: RuleTable

  constructor(shared: RuleTable, own: RuleTable) {
    this.#shared = shared
    this.#own = own
  }

  get rules(): RulesByKind {
    const both = (kind: keyof RulesByKind): ReadonlyMap<string, AclRule> =>
      new Map([...this.#shared.rules[kind], ...this.#own.rules[kind]])
    return { exact: both('exact'), prefix: both('prefix'), segments: both('segments') }
  }

  find(path: string, listing: boolean): AclRule | undefined {
    const bare = barePath(path, listing)
    return (
      this.#findExact(path) ??
      (bare === undefined ? undefined : this.#findExact(bare)) ??
      this.#findOpen(path) ??
      (bare === undefined ? undefined : this.#findOpen(bare))
    )
  }

  touches(mountPath: string): boolean {
    return (
      grants(this.find(mountPath, true)) ||
      this.#own.touchesBelow(mountPath) ||
      this.#shared.touchesBelow(mountPath)
    )
  }

  #findExact(path: string): AclRule | undefined {
    return this.#own.rules.exact.get(path) ?? this.#shared.rules.exact.get(path)
  }

  #findOpen(path: string): AclRule | undefined {
    const own = this.#own.findOpen(path)
    const shared = this.#shared.findOpen(path)
    if (own === undefined || shared === undefined) return (own ?? shared)?.rule
    return (wins(own, shared) ? own : shared).rule
  }
}
