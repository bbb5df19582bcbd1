import type { Namespace } from '../call.ts'
import type { Names, Reader, Records } from '../records.ts'
import type { Hint } from '../refusal.ts'
import type { ListPage } from '../result.ts'

/** An ACL policy as `sys/policies/acl/:name` shows it. */
export interface PolicyView {
  readonly name: string
  readonly text: string
  readonly version: number
  readonly casRequired: boolean
  readonly allowWildcards: boolean
  readonly allowSlashes: boolean
  /** ms; undefined = never. */
  readonly expiresAt: number | undefined
  /** ms; undefined for `root`. */
  readonly modifiedAt: number | undefined
}

/** A write of a policy; `undefined` members were not sent. */
export interface PolicyWrite {
  readonly name: string
  readonly text: string
  readonly cas: number | undefined
  readonly casRequired: boolean | undefined
  readonly allowWildcards: boolean
  readonly allowSlashes: boolean
  readonly expiresAt: number | undefined
}

/** Where and when a policy operation takes place. */
export interface PolicyScope {
  readonly namespace: Namespace
  readonly names: Names
  readonly now: number
}

/** The ACL policies as `sys/` uses them. Names arrive lower-cased. Texts of refusals are the recorded ones. */
export interface PolicyPort {
  /** The policy; `root` is empty text; expired ones are absent. */
  read(reader: Reader, scope: PolicyScope, name: string): Promise<PolicyView | undefined>
  /** Checks cas, parses, writes in one commit. Throws `failed to parse policy: …` and the cas texts; gives hints on templates. */
  write(records: Records, scope: PolicyScope, write: PolicyWrite): Promise<readonly Hint[]>
  /** Merge patch: `change` gives the write from the present policy. Throws `policy not found`. */
  patch(
    records: Records,
    scope: PolicyScope,
    name: string,
    change: (present: PolicyView) => PolicyWrite,
  ): Promise<readonly Hint[]>
  delete(records: Records, scope: PolicyScope, name: string): Promise<void>
  /** Names under a prefix ('' or ending in '/'), in byte order, `root` at the end without prefix; `response-wrapping` never. */
  list(records: Records, scope: PolicyScope, prefix: string): AsyncIterable<ListPage>
}
