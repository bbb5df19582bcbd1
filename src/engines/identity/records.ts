import { recordKind } from '../../engine/records.ts'

/**
 * Everything identity stores. `H` = names.hash(kind, goLower(name)). Times are RFC 3339 with nanoseconds as the API shows
 * them. One record an entity, one an alias, one edge a membership in each direction.
 */

/** One alias of an entity, as the entity's record lists it. */
export interface AliasLink {
  readonly id: string
  readonly accessor: string
  /** The alias's name, so that lists need not read it; absent where an older version wrote the link. */
  readonly name?: string
  /**
   * A merge kept another alias of the same mount: this one neither resolves nor counts any more, but reads of the entity
   * show it until the entity is next written (recorded: entity-merge-alias-conflict).
   */
  readonly dropped?: true
}

/**
 * `e/<ns><entity id>`. The aliases are an adjacency list inside the record, in the order they came (A1): every create, move,
 * re-mount and delete of an alias puts its entity, so a transaction that read the entity knows all of its aliases, and two
 * that decide on them cannot both commit. A login of a known alias does not touch it.
 *
 * Once the list is full (`limits.aliasesInRecord`), links that come are records of their own (`furtherLinks`), and the entity says
 * so in `further`. The rule stays the same: whoever changes one of those puts the entity, too, so its version stands for all of
 * them. An alias knows its mount, so whether its entity lists it, and which alias an entity has on a mount, is one more read by
 * key; it is made only where there are further links and the list does not answer. Nothing costs more with more aliases but what
 * shows or moves all of them (read and list of the entity, export, merge, deletion). Entities of older versions may have up to
 * 1,000 links in their list; they keep them there.
 */
export interface EntityRecord {
  readonly id: string
  readonly name: string
  readonly metadata: Readonly<Record<string, string>> | null
  readonly policies: readonly string[]
  readonly disabled: boolean
  readonly mergedEntityIds: readonly string[]
  readonly aliases: readonly AliasLink[]
  /** Links that came when the list was full; absent while there are none. New ones go there as long as there are. */
  readonly further?: Further | undefined
  readonly creationTime: string
  readonly lastUpdateTime: string
  /** Writes of this record; and the one that last wrote the aliases with it. For `AliasRecord.emptyAt` only. */
  readonly revision: number
  readonly aliasRevision: number
}
export const entities = recordKind<EntityRecord>('e')

/** What an entity's record says of the links that are records of their own. */
export interface Further {
  /**
   * Id of this set of links, part of their keys: drawn anew whenever one begins. What the deletion of an entity has not swept yet
   * is not taken for links of one that an import made anew under the same id.
   */
  readonly set: string
  /** How many there are, `dropped` ones aside. */
  readonly count: number
  /** Sequence number of the next. */
  readonly next: number
  /** Those that a merge dropped (see `AliasLink.dropped`): out of their records already. */
  readonly dropped?: readonly PlacedLink[]
}

/** A link with its place in the order of arrival, behind those in the entity's list. */
export interface PlacedLink extends AliasLink {
  readonly seq: number
}

/** `el/<ns><entity id><set id>H('accessor')`: the further links of an entity on one mount; two where a merge kept both. */
export interface MountLinks {
  readonly links: readonly PlacedLink[]
}
export const furtherLinks = recordKind<MountLinks>('el')

/** `en/<ns>H('entity-name', name)`: uniqueness of names. */
export const entityNames = recordKind<{ readonly id: string }>('en')

/** `mi/<ns><old id>`: where a merged id went. */
export const mergedIds = recordKind<{ readonly id: string }>('mi')

/** `a/<ns><alias id>` */
export interface AliasRecord {
  readonly id: string
  readonly canonicalId: string
  readonly mountAccessor: string
  readonly name: string
  readonly metadata: Readonly<Record<string, string>> | null
  readonly customMetadata: Readonly<Record<string, string>> | null
  /**
   * The entity's revision when custom metadata was last written empty: it reads `{}` until the reference would have copied the
   * alias, which turns it into null (identity.md 0.9, 2.1). Entity aliases only.
   */
  readonly emptyAt?: number | undefined
  readonly local: boolean
  readonly mergedFromCanonicalIds: readonly string[] | null
  readonly creationTime: string
  readonly lastUpdateTime: string
}
export const aliases = recordKind<AliasRecord>('a')

/** `an/<ns>H('accessor')H('alias-name')`: uniqueness of (mount, name). A dead owner does not block it (B4). */
export const aliasNames = recordKind<{ readonly id: string; readonly entityId: string }>('an')

/** `al/<ns><alias id>`: last login day (YYYY-MM-DD) and groups last claimed (settled.md 18); never moves the alias's version. */
export interface AliasActivity {
  readonly lastLoginDay: string
  readonly claimedGroups: readonly string[]
}
export const aliasActivity = recordKind<AliasActivity>('al')

/** `g/<ns><group id>` */
export interface GroupRecord {
  readonly id: string
  readonly name: string
  readonly type: 'internal' | 'external'
  readonly metadata: Readonly<Record<string, string>> | null
  readonly policies: readonly string[] | null
  /** Parent group ids, deleted ones included (G4). */
  readonly parentGroupIds: readonly string[]
  /** When the group's being inside a parent ends (ms), by the parent's id; without an entry it does not. */
  readonly parentEnds?: Readonly<Record<string, number>> | undefined
  readonly aliasId: string | undefined
  readonly creationTime: string
  readonly lastUpdateTime: string
  /** The part of `modify_index` that writes of this record moved; memberships count on their own (settled.md 14). */
  readonly modifyIndex: number
  /**
   * Large writes of the members that are in force although edges still bear their marks. Such a write marks its edges in many
   * small commits, of which none shows; the one that adds it here is the write (architecture.md (d)).
   */
  readonly ops?: readonly string[] | undefined
  /** A large write that marks its edges now: others of the members wait. `at` (ms) is moved on while it goes on. */
  readonly pending?:
    | {
        readonly op: string
        readonly at: number
        /** The request that writes: it may begin anew. */
        readonly by: string
      }
    | undefined
  /** The list that the latest write of this record left empty: shown as `[]`, others as null (identity.md 0.9). */
  readonly emptied: 'parents' | 'members' | undefined
}
export const groups = recordKind<GroupRecord>('g')

/** `gn/<ns>H('group-name', name)` */
export const groupNames = recordKind<{ readonly id: string }>('gn')

/** `ga/<ns><group alias id>` */
export const groupAliases = recordKind<AliasRecord>('ga')

/** `gan/<ns>H('accessor')H('group-alias-name')` */
export const groupAliasNames = recordKind<{ readonly id: string; readonly groupId: string }>('gan')

/** `em/<ns><entity id>`: the groups an entity is a direct member of, as one record: one dependency, no phantom. */
export interface EntityMemberships {
  readonly groups: readonly {
    readonly id: string
    readonly n: number
    readonly seq: number
    /** The three as in the forward edge, always. */
    readonly until?: number | undefined
    readonly in?: string | undefined
    readonly out?: string | undefined
  }[]
}
export const entityMemberships = recordKind<EntityMemberships>('em')

/** `gm/<ns><group id><entity id>`: forward edge; `n` multiplicity (G1), `seq` order of arrival (G2). */
export interface MemberEdge {
  readonly n: number
  readonly seq: number
  /** ms: from then on it counts no more, whether or not it is still stored. Absent: it does not end. */
  readonly until?: number | undefined
  readonly reason?: string | undefined
  /** ms */
  readonly addedAt?: number | undefined
  /** Id of the entity that added it, else the display name of the token. */
  readonly addedBy?: string | undefined
  /** `api`: added by itself; `list`: with a list of all members; `merge`: by a merge of entities. */
  readonly source?: 'api' | 'list' | 'merge' | undefined
  /** Belongs to the group only once this large write has come into force (see `GroupRecord.ops`). */
  readonly in?: string | undefined
  /** Belongs to the group only until this large write has come into force. */
  readonly out?: string | undefined
}
export const groupMembers = recordKind<MemberEdge>('gm')

/** `gc/<ns><parent id><child id>`: hierarchy edge; every writer stamps `tree`, every cycle check reads it (A1). */
export const groupChildren = recordKind<MemberEdge>('gc')

/** `go/<ns><group id>`: a large write of the group's members began at `at` (ms) and has perhaps left marks. */
export const groupOps = recordKind<{ readonly at: number }>('go')

/**
 * `md/<ns><time, 6 bytes><kind byte><group id><member id>`: when to look whether a membership has ended. A hint: an entry whose
 * membership has another end by then points at nothing.
 */
export const membershipsDue = recordKind<{ readonly due: true }>('md')

/** `gk/<ns><group id><shard byte>`: membership writes and members, sharded by entity, so that joins hardly conflict. */
export interface GroupCounter {
  readonly writes: number
  readonly members: number
  /** `modifyIndex` of the group record when a login last wrote this shard: tells which came last (identity.md 0.9). */
  readonly under: number
}
export const groupCounters = recordKind<GroupCounter>('gk')
