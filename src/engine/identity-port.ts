import type { Mount, Namespace } from './call.ts'
import type { Names, Reader, Tx } from './records.ts'
import type { Hint } from './refusal.ts'

/**
 * What the core needs of the identity engine. Everything runs over the reader or transaction it is given, so that the
 * versions read become dependencies of the caller or checks of the commit.
 */
export interface IdentityPort {
  /**
   * In a login's transaction: finds or makes the entity of (mount, alias name), keeps alias metadata, last login day and
   * claimed groups, refreshes external memberships (identity.md 7.1, 7.3). Throws the recorded Refusals (disabled: 403,
   * `missing name in alias`, invalid metadata).
   */
  login(tx: Tx, request: IdentityLogin): Promise<IdentityLoginOutcome>
  /**
   * In the transaction that makes a token for an alias: finds or makes the entity of (mount, alias name), and leaves all else
   * as it is, for nobody logs in (identity.md 7.7).
   */
  aliasEntity(
    tx: Tx,
    request: AliasEntity,
  ): Promise<{ readonly entityId: string; readonly disabled: boolean }>
  /** At a token's renewal: applies the claimed groups again (7.3). `mount` undefined: the token has no login mount: nothing is removed. */
  refreshGroups(tx: Tx, request: GroupRefresh): Promise<{ readonly matched: readonly string[] }>
  /** Who an entity id is at `now`, ms (merged ids resolve to the survivor); undefined when deleted. */
  subject(
    reader: Reader,
    names: Names,
    namespace: Namespace,
    entityId: string,
    now: number,
  ): Promise<Subject | undefined>
  /** The entity's alias on a mount, for templates. */
  aliasOf(
    reader: Reader,
    names: Names,
    namespace: Namespace,
    entityId: string,
    accessor: string,
  ): Promise<SubjectAlias | undefined>
}

export interface IdentityLogin {
  readonly namespace: Namespace
  readonly names: Names
  readonly mount: Mount
  readonly alias: { readonly name: string; readonly metadata?: Readonly<Record<string, string>> }
  readonly groupAliases: readonly string[]
  readonly now: number
  newId(): string
  randomBytes(length: number): Buffer
}

export interface AliasEntity {
  readonly namespace: Namespace
  readonly names: Names
  readonly mount: Mount
  readonly name: string
  readonly now: number
  newId(): string
  randomBytes(length: number): Buffer
}

export interface IdentityLoginOutcome {
  readonly entityId: string
  readonly created: boolean
  /** The claimed names that have a group alias on this mount: remembered with the token. */
  readonly matched: readonly string[]
  readonly hints: readonly Hint[]
  /** ms: from then on the same login writes something, by the change of the day. */
  readonly until: number
}

export interface GroupRefresh {
  readonly namespace: Namespace
  readonly names: Names
  readonly entityId: string
  readonly mount: Mount | undefined
  readonly groupAliases: readonly string[]
  readonly now: number
}

/** An entity as policies and templates see it. */
export interface Subject {
  /** The survivor's id when the token's entity was merged. */
  readonly id: string
  readonly name: string
  readonly metadata: Readonly<Record<string, string>>
  readonly disabled: boolean
  /** The entity's own policies. */
  readonly policies: readonly string[]
  /** Direct groups, then inherited ones, each once; deleted ones left out. */
  readonly groups: readonly SubjectGroup[]
  /** ms: from then on some of the groups are others, by the end of a membership. Absent: no membership ends. */
  readonly until?: number
}

export interface SubjectGroup {
  readonly id: string
  readonly name: string
  readonly metadata: Readonly<Record<string, string>>
  readonly policies: readonly string[]
  readonly direct: boolean
}

export interface SubjectAlias {
  readonly id: string
  readonly name: string
  readonly metadata: Readonly<Record<string, string>>
  readonly customMetadata: Readonly<Record<string, string>>
}

/** What engines may ask of the mount table: identity resolves accessors, hints name mounts. */
export interface MountDirectory {
  byAccessor(accessor: string): Promise<Mount | undefined>
  byPath(path: string): Promise<Mount | undefined>
  /** Whether an auth mount of this type is there. */
  hasAuthType(type: string): Promise<boolean>
  /** The record whose version guards the mount, to be read in a transaction that rests on it. */
  check(tx: Tx, mount: Mount): Promise<void>
}
