import type { Call } from '../../../engine/call.ts'
import { field } from '../../../engine/field.ts'
import { Refusal } from '../../../engine/refusal.ts'
import type { RawResult } from '../../../engine/result.ts'
import { raw } from '../../../engine/result.ts'
import type { Handler, Route } from '../../../engine/route.ts'
import { route } from '../../../engine/route.ts'
import { stringifyOrdered } from '../../../std/json.ts'
import { ALGORITHM_NAMES } from './algorithms.ts'
import type { OidcDeps } from './deps.ts'
import { identityIssuer } from './issuer.ts'
import { jwksText, roleKeys } from './jwks.ts'
import { published } from './key-ring.ts'
import type { KeyRecord } from './records.ts'

/** How long a discovery document may be kept, in seconds (identity.md 5.6). */
const DISCOVERY_SECONDS = 3_600

/** A discovery document. */
export const discovery = (body: string): RawResult => ({
  ...raw(200, body),
  headers: { 'Cache-Control': `max-age=${DISCOVERY_SECONDS}` },
})

/**
 * Seconds that a key set may be kept: somewhere below the shortest rotation or verification, so that clients neither come all
 * at once nor keep a set over two rotations. Undefined without keys.
 */
const maxAge = (
  call: Pick<Call, 'now' | 'randomBytes'>,
  keys: readonly KeyRecord[],
): number | undefined => {
  if (!keys.some((key) => published(key, call.now).length > 0)) return undefined
  const most = Math.min(...keys.map((key) => Math.min(key.verificationTtl, key.rotationPeriod)))
  return Math.floor((call.randomBytes(4).readUInt32BE() / 2 ** 32) * most)
}

const unknownPath: Handler = () => {
  throw new Refusal('missing', 'unsupported path')
}

/** Everything else below a public prefix: nobody needs a token to be told that there is nothing (recorded). */
export const nothingBelow = (path: string): Route =>
  route({
    path: `${path}/*rest`,
    summary: 'Nothing',
    fields: { rest: field.string() },
    public: true,
    verbs: {
      read: unknownPath,
      list: unknownPath,
      scan: unknownPath,
      create: unknownPath,
      update: unknownPath,
      patch: unknownPath,
      delete: unknownPath,
    },
  })

/** Discovery and keys of identity tokens, for those who verify them. */
export const wellKnownRoutes = (deps: OidcDeps): readonly Route[] => [
  route({
    path: 'oidc/.well-known/openid-configuration',
    summary: 'Discovery of identity tokens',
    fields: {},
    slashOrNot: true,
    public: true,
    verbs: {
      read: async (call) => {
        const issuer = await identityIssuer(call.records, call, deps)
        return discovery(
          stringifyOrdered([
            ['issuer', issuer],
            ['jwks_uri', `${issuer}/.well-known/keys`],
            ['response_types_supported', ['id_token']],
            ['subject_types_supported', ['public']],
            ['id_token_signing_alg_values_supported', ALGORITHM_NAMES],
          ]),
        )
      },
    },
  }),
  route({
    path: 'oidc/.well-known/keys',
    summary: 'Public keys of identity tokens',
    fields: {},
    slashOrNot: true,
    public: true,
    verbs: {
      read: async (call) => {
        const keys = await roleKeys(call)
        const age = maxAge(call, keys)
        return {
          ...raw(200, jwksText(keys, call.now)),
          ...(age === undefined ? {} : { headers: { 'Cache-Control': `max-age=${age}` } }),
        }
      },
    },
  }),
  nothingBelow('oidc/.well-known'),
]
