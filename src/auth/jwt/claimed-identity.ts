import { invalid } from '../../engine/refusal.ts'
import type { Claims } from './claims.ts'
import { asList, claimAt, goText, plainClaim } from './claims.ts'
import type { RoleRecord } from './records.ts'

/** Who a token is for, as a role reads its claims. */
export interface ClaimedIdentity {
  /** Name of the alias. */
  readonly name: string
  readonly metadata: Readonly<Record<string, string>>
  /** Names of the groups claimed; undefined when the role names no groups claim. */
  readonly groups: readonly string[] | undefined
}

type IdentityRole = Pick<
  RoleRecord,
  'name' | 'userClaim' | 'userClaimJsonPointer' | 'claimMappings' | 'groupsClaim'
>

const userName = (role: IdentityRole, claims: Claims): string => {
  const find = role.userClaimJsonPointer ? claimAt : plainClaim
  const value = find(claims, role.userClaim)
  if (value === undefined) throw invalid(`claim "${role.userClaim}" not found in token`)
  if (typeof value !== 'string') {
    throw invalid(`claim "${role.userClaim}" could not be converted to string`)
  }
  return value
}

/** Mapped claims that a token lacks are left out; others than strings are refused. */
const mappedMetadata = (role: IdentityRole, claims: Claims): Readonly<Record<string, string>> => {
  const metadata = Object.create(null) as Record<string, string>
  for (const [claim, key] of role.claimMappings ?? []) {
    const value = claimAt(claims, claim)
    if (value === undefined) continue
    if (typeof value !== 'string') throw invalid(`error converting claim '${claim}' to string`)
    metadata[key] = value
  }
  metadata['role'] = role.name
  return metadata
}

const claimedGroups = (name: string, claims: Claims): readonly string[] => {
  const value = claimAt(claims, name)
  if (value === undefined) {
    throw invalid(`failed to fetch groups: "${name}" claim not found in token`)
  }
  const list = asList(value)
  if (list === undefined) throw invalid(`"${name}" claim could not be converted to string list`)
  const groups = list.map((item) => {
    if (typeof item !== 'string') {
      throw invalid(`value ${goText(item)} in groups claim could not be parsed as string`)
    }
    return item
  })
  return groups.filter((group) => group !== '')
}

/** Reads user, metadata and groups from claims. Throws the recorded refusals (400). */
export const claimedIdentity = (role: IdentityRole, claims: Claims): ClaimedIdentity => ({
  name: userName(role, claims),
  metadata: mappedMetadata(role, claims),
  groups: role.groupsClaim === '' ? undefined : claimedGroups(role.groupsClaim, claims),
})
