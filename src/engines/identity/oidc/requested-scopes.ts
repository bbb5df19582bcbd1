import type { Reader } from '../../../engine/records.ts'
import type { Json } from '../../../std/json.ts'
import { invalidRequest } from './oauth-error.ts'
import { findScopes } from './providers.ts'
import type { ProviderRecord } from './records.ts'
import type { Place } from './refs.ts'
import { sortedSet } from './refs.ts'
import { OPENID } from './scopes.ts'
import type { TemplateSubject } from './template.ts'
import { claimsOf } from './template-claims.ts'

/** The scopes of a `scope` parameter, sorted and without `openid`, which must be among them. Throws an OAuthError. */
export const readScope = (scope: string): readonly string[] => {
  const asked = scope.split(' ').filter((name) => name !== '')
  if (!asked.includes(OPENID)) {
    throw invalidRequest(`scope parameter must contain the "${OPENID}" value`)
  }
  return sortedSet(asked).filter((name) => name !== OPENID)
}

/** The claims of some scopes for a subject. */
export interface ScopeTemplates {
  /** For `templateEntity`: what the entity must be loaded with. */
  readonly templates: readonly string[]
  /** Claims of all of them; a scope whose template does not render adds none. Throws an OAuthError where two collide. */
  claims(subject: TemplateSubject): Readonly<Record<string, Json>>
}

/** Those of the granted scopes that the provider (still) supports. */
export const scopeTemplates = async (
  reader: Reader,
  place: Place,
  provider: ProviderRecord,
  granted: readonly string[],
): Promise<ScopeTemplates> => {
  const names = granted.filter((name) => provider.scopes.includes(name))
  const scopes = await findScopes(reader, place, names)
  return {
    templates: scopes.map(({ template }) => template),
    claims: (subject) => {
      const claims = Object.create(null) as Record<string, Json>
      const owners = new Map<string, string>()
      for (const { name, template } of scopes) {
        for (const [claim, value] of Object.entries(claimsOf(template, subject) ?? {})) {
          const owner = owners.get(claim)
          if (owner !== undefined) {
            throw invalidRequest(
              `found scopes with conflicting top-level claim: claim "${claim}" in scopes "${owner}", "${name}"`,
            )
          }
          owners.set(claim, name)
          if (value !== undefined) claims[claim] = value
        }
      }
      return claims
    },
  }
}
