import { LRUCache } from 'lru-cache'
import type { Namespace } from '../engine/call.ts'
import type { IdentityPort, Subject, SubjectAlias } from '../engine/identity-port.ts'
import type { PolicyPort, PolicyScope, PolicyView, PolicyWrite } from '../engine/ports/policies.ts'
import type { Reader, Records, Ref, Tx } from '../engine/records.ts'
import { recordKind } from '../engine/records.ts'
import type { Hint } from '../engine/refusal.ts'
import { invalid } from '../engine/refusal.ts'
import type { ListPage } from '../engine/result.ts'
import { limits } from '../limits.ts'
import type { Acl, CompiledInput, SharedRules } from '../policy/acl.ts'
import { compileAcl, compileShared, rootAcl } from '../policy/acl.ts'
import { responseWrappingPolicy } from '../policy/builtin.ts'
import { policyHints } from '../policy/policy-hints.ts'
import { parsePolicy } from '../policy/parse-policy.ts'
import type { ParsedPolicy } from '../policy/parsed-policy.ts'
import { PolicyError } from '../policy/policy-error.ts'
import { templateNeeds } from '../policy/template.ts'
import { compareBytes } from '../std/json.ts'

/** `p/<ns>H(name)`: an ACL policy, its text and what it says. Times in ms. */
export interface PolicyRecord {
  readonly name: string
  readonly text: string
  readonly parsed: ParsedPolicy
  readonly version: number
  readonly casRequired: boolean
  readonly allowWildcards: boolean
  readonly allowSlashes: boolean
  readonly expiresAt?: number
  readonly modifiedAt: number
  /** Written anew with each write: tells one version of a policy from another across all processes. */
  readonly stamp: string
}
export const policyRecords = recordKind<PolicyRecord>('p')

/** Where a policy is. */
export const policyRef = (
  scope: Pick<PolicyScope, 'namespace' | 'names'>,
  name: string,
): Ref<PolicyRecord> =>
  policyRecords.at(scope.namespace.number, scope.names.hash('policy-name', name))

const isAlive = (record: PolicyRecord | undefined, now: number): record is PolicyRecord =>
  record !== undefined && (record.expiresAt === undefined || record.expiresAt > now)

const viewOf = (record: PolicyRecord): PolicyView => ({
  name: record.name,
  text: record.text,
  version: record.version,
  casRequired: record.casRequired,
  allowWildcards: record.allowWildcards,
  allowSlashes: record.allowSlashes,
  expiresAt: record.expiresAt,
  modifiedAt: record.modifiedAt,
})

const ROOT: PolicyView = {
  name: 'root',
  text: '',
  version: 0,
  casRequired: false,
  allowWildcards: false,
  allowSlashes: false,
  expiresAt: undefined,
  modifiedAt: undefined,
}

/** Policies that no one may write or delete. */
const FIXED = new Set(['root', 'response-wrapping'])

interface CompiledPolicies {
  readonly acl: Acl
  readonly until: number
  readonly perRequest: boolean
}

/** What a kept set of policies takes in memory, about: its own tables, and each rule of its policies. */
const SET_BYTES = 1_500
const RULE_BYTES = 450

const sizeOf = (inputs: readonly CompiledInput[]): number =>
  SET_BYTES + RULE_BYTES * inputs.reduce((sum, { policy }) => sum + policy.rules.length, 0)

/** The stored ACL policies, and what sets of them allow. */
export class PolicyStore implements PolicyPort {
  readonly #identity: IdentityPort
  readonly #shared = new LRUCache<string, Acl>({ maxSize: limits.cachedPolicySetBytes })
  /** Of sets with templates: the blocks without. */
  readonly #sharedRules = new LRUCache<string, SharedRules>({
    maxSize: limits.cachedPolicySetBytes,
  })

  constructor(identity: IdentityPort) {
    this.#identity = identity
  }

  /**
   * What the named policies allow this subject; all it rests on is read through `reader`, policies that do not exist
   * included. Sets without templates are compiled once for all who have them, of others what has no template.
   */
  async acl(
    reader: Reader,
    scope: PolicyScope,
    names: readonly string[],
    root: boolean,
    subject: Subject | undefined,
  ): Promise<CompiledPolicies> {
    if (root) return { acl: rootAcl, until: Infinity, perRequest: false }
    const records = await reader.getMany(names.map((name) => policyRef(scope, name)))
    const alive = records.filter((record) => isAlive(record, scope.now))
    const until = Math.min(...alive.map((record) => record.expiresAt ?? Infinity))
    const templated = alive.some((record) => record.parsed.templated)
    const id = alive.map((record) => `${record.name}\0${record.stamp}`).join('\0')
    const known = templated ? undefined : this.#shared.get(id)
    if (known !== undefined && known.validUntil > scope.now) {
      return { acl: known, until: Math.min(until, known.validUntil), perRequest: false }
    }
    const inputs = alive.map((record): CompiledInput => ({
      name: record.name,
      policy: record.parsed,
      allowWildcards: record.allowWildcards,
      allowSlashes: record.allowSlashes,
    }))
    const acl = templated
      ? compileAcl(
          inputs,
          {
            now: scope.now,
            entity: subject,
            aliases: await this.#aliases(reader, scope, inputs, subject),
          },
          this.#rulesOf(id, inputs, scope.now),
        )
      : compileAcl(inputs, { now: scope.now })
    if (!templated) this.#shared.set(id, acl, { size: sizeOf(inputs) })
    return {
      acl,
      until: Math.min(until, acl.validUntil),
      perRequest: acl.validUntil <= scope.now,
    }
  }

  /** What all holders of these policies share; `id` stands for them as they are now. */
  #rulesOf(id: string, inputs: readonly CompiledInput[], now: number): SharedRules {
    const known = this.#sharedRules.get(id)
    if (known !== undefined && known.validUntil > now) return known
    const made = compileShared(inputs, now)
    this.#sharedRules.set(id, made, { size: sizeOf(inputs) })
    return made
  }

  /** What a policy text allows that is kept with a token and not under a name. */
  aclOf(text: string, now: number): CompiledPolicies {
    const policy = parsePolicy(text)
    const acl = compileAcl([{ name: '', policy, allowWildcards: false, allowSlashes: false }], {
      now,
    })
    return { acl, until: acl.validUntil, perRequest: acl.validUntil <= now }
  }

  async #aliases(
    reader: Reader,
    { names, namespace }: PolicyScope,
    inputs: readonly CompiledInput[],
    subject: Subject | undefined,
  ): Promise<ReadonlyMap<string, SubjectAlias>> {
    const aliases = new Map<string, SubjectAlias>()
    if (subject === undefined) return aliases
    const accessors = new Set(inputs.flatMap(({ policy }) => [...templateNeeds([policy]).aliases]))
    for (const accessor of accessors) {
      const alias = await this.#identity.aliasOf(reader, names, namespace, subject.id, accessor)
      if (alias !== undefined) aliases.set(accessor, alias)
    }
    return aliases
  }

  async missing(
    reader: Reader,
    scope: PolicyScope,
    names: readonly string[],
  ): Promise<readonly string[]> {
    const stored = names.filter((name) => !FIXED.has(name))
    const records = await reader.getMany(stored.map((name) => policyRef(scope, name)))
    return stored.filter((_, index) => !isAlive(records[index], scope.now))
  }

  async read(reader: Reader, scope: PolicyScope, name: string): Promise<PolicyView | undefined> {
    if (name === 'root') return ROOT
    const record = await reader.get(policyRef(scope, name))
    return isAlive(record, scope.now) ? viewOf(record) : undefined
  }

  async write(records: Records, scope: PolicyScope, write: PolicyWrite): Promise<readonly Hint[]> {
    const parsed = this.#parse(write)
    const stamp = crypto.randomUUID()
    await records.transact(async (tx) => {
      const present = await tx.get(policyRef(scope, write.name))
      this.#put(tx, scope, isAlive(present, scope.now) ? present : undefined, write, parsed, stamp)
    })
    return policyHints(parsed)
  }

  async patch(
    records: Records,
    scope: PolicyScope,
    name: string,
    change: (present: PolicyView) => PolicyWrite,
  ): Promise<readonly Hint[]> {
    const stamp = crypto.randomUUID()
    return records.transact(async (tx) => {
      const present = await tx.get(policyRef(scope, name))
      const alive = isAlive(present, scope.now) ? present : undefined
      const view = name === ROOT.name ? ROOT : alive && viewOf(alive)
      if (view === undefined) throw invalid('policy not found')
      const write = change(view)
      const parsed = this.#parse(write)
      this.#put(tx, scope, alive, write, parsed, stamp)
      return policyHints(parsed)
    })
  }

  #parse(write: PolicyWrite): ParsedPolicy {
    try {
      return parsePolicy(write.text)
    } catch (error) {
      if (error instanceof PolicyError) throw invalid(`failed to parse policy: ${error.message}`)
      throw error
    }
  }

  #put(
    tx: Tx,
    scope: PolicyScope,
    present: PolicyRecord | undefined,
    write: PolicyWrite,
    parsed: ParsedPolicy,
    stamp: string,
  ): void {
    if (FIXED.has(write.name)) throw invalid(`cannot update "${write.name}" policy`)
    const casRequired = write.casRequired === true
    if ((casRequired || present?.casRequired === true) && write.cas === undefined) {
      throw invalid('check-and-set parameter required for this call')
    }
    if (write.cas !== undefined) {
      if (write.cas === -1 && present !== undefined) {
        throw invalid('check-and-set parameter set to -1 on existing entry')
      }
      if (write.cas !== -1 && write.cas !== (present?.version ?? 0)) {
        throw invalid('check-and-set parameter did not match the current version')
      }
    }
    tx.put(policyRef(scope, write.name), {
      name: write.name,
      text: write.text,
      parsed,
      version: (present?.version ?? 0) + 1,
      casRequired,
      allowWildcards: write.allowWildcards,
      allowSlashes: write.allowSlashes,
      ...(write.expiresAt === undefined ? {} : { expiresAt: write.expiresAt }),
      modifiedAt: scope.now,
      stamp,
    })
  }

  async delete(records: Records, scope: PolicyScope, name: string): Promise<void> {
    if (FIXED.has(name)) throw invalid(`cannot delete "${name}" policy`)
    if (name === 'default') throw invalid('cannot delete default policy')
    await records.transact(async (tx) => {
      const ref = policyRef(scope, name)
      if ((await tx.get(ref)) !== undefined) tx.delete(ref)
    })
  }

  async *list(records: Records, scope: PolicyScope, prefix: string): AsyncIterable<ListPage> {
    // Keys are hashes, so names are put in order here; there are few policies (architecture.md E11).
    const names: string[] = []
    for await (const page of records.scan(policyRecords.under(scope.namespace.number))) {
      for (const { value } of page) {
        if (isAlive(value, scope.now) && value.name.startsWith(prefix)) names.push(value.name)
      }
    }
    const keys = [...new Set(names.map((name) => listedUnder(prefix, name)))]
      .filter((name) => name !== 'response-wrapping')
      .sort(compareBytes)
    if (prefix === '') keys.push('root')
    yield { keys }
  }

  /** Puts the policies that every server has, where they are missing. */
  async ensureBuiltin(
    records: Records,
    scope: {
      readonly namespace: Namespace
      readonly names: PolicyScope['names']
      readonly now: number
    },
    texts: { readonly default: string },
  ): Promise<void> {
    const built = [
      { name: 'default', text: texts.default },
      { name: 'response-wrapping', text: responseWrappingPolicy },
    ].map(({ name, text }) => ({
      name,
      text,
      parsed: parsePolicy(text),
      stamp: crypto.randomUUID(),
    }))
    await records.transact(async (tx) => {
      for (const { name, text, parsed, stamp } of built) {
        const ref = policyRef(scope, name)
        const present = await tx.get(ref)
        if (present !== undefined && (name === 'default' || present.text === text)) continue
        tx.put(ref, {
          name,
          text,
          parsed,
          version: 1,
          casRequired: false,
          allowWildcards: false,
          allowSlashes: false,
          modifiedAt: scope.now,
          stamp,
        })
      }
    })
  }
}

/** A name as a list under a prefix shows it: whole (policy names do not make folders). */
const listedUnder = (prefix: string, name: string): string => name.slice(prefix.length)
