import type { Call } from '../../../engine/call.ts'
import { field } from '../../../engine/field.ts'
import type { Reader } from '../../../engine/records.ts'
import { invalid } from '../../../engine/refusal.ts'
import { data } from '../../../engine/result.ts'
import type { Route } from '../../../engine/route.ts'
import { route } from '../../../engine/route.ts'
import type { OidcDeps } from './deps.ts'
import type { Place } from './refs.ts'
import { configRef } from './refs.ts'

/** Said whenever an issuer is set, in the reference's words. */
export const ISSUER_WARNING =
  'If "issuer" is set explicitly, all tokens must be validated against that address, including those issued by secondary clusters. Setting issuer to "" will restore the default behavior of using the cluster\'s api_addr as the issuer.'

/** A scheme, a host and maybe a port: nothing else, not even a slash at the end. */
const ISSUER = /^https?:\/\/(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/i

const ISSUER_BYTES = 2_048

/** Throws the recorded 400 for an issuer that is more or less than scheme, host and port. */
export const checkIssuer = (issuer: string): void => {
  if (issuer.length > ISSUER_BYTES || !ISSUER.test(issuer)) {
    throw invalid(
      'invalid issuer, which must include only a scheme, host, and optional port (e.g. https://example.com:8200)',
    )
  }
}

/** The `iss` of identity tokens (identity.md 5.1). */
export const identityIssuer = async (
  reader: Reader,
  place: Place & Pick<Call, 'namespace'>,
  deps: Pick<OidcDeps, 'apiAddress'>,
): Promise<string> => {
  const config = await reader.get(configRef(place))
  return `${config?.issuer || deps.apiAddress()}/v1/${place.namespace.path}identity/oidc`
}

/** The `iss` of a provider's tokens (identity.md 5.8). */
export const providerIssuer = (
  { namespace }: Pick<Call, 'namespace'>,
  deps: Pick<OidcDeps, 'apiAddress'>,
  provider: { readonly name: string; readonly issuer: string },
): string =>
  `${provider.issuer || deps.apiAddress()}/v1/${namespace.path}identity/oidc/provider/${provider.name}`

/** Where people are sent to sign in to a client: the sign-in page, at the address that the reference gives it. */
export const signInPage = (issuer: string): string =>
  `${issuer.replace('/v1/', '/ui/vault/')}/authorize`

/** Where people let a device in. */
export const devicePage = (issuer: string): string =>
  `${issuer.replace('/v1/', '/ui/vault/')}/device`

const fields = {
  issuer: field.string({
    default: '',
    description: 'Issuer of identity tokens; empty: the API address',
  }),
}

/** The route of the issuer of identity tokens. */
export const configRoutes = (deps: OidcDeps): readonly Route[] => [
  route({
    path: 'oidc/config',
    summary: 'Read or set the issuer of identity tokens',
    fields,
    slashOrNot: true,
    verbs: {
      read: async (call) => {
        const issuer = (await call.records.get(configRef(call)))?.issuer ?? ''
        if (issuer === '' && deps.apiAddress() === '') {
          call.warn(
            `Both "issuer" and OpenBao's "api_addr" are empty. The issuer claim in generated tokens will not be network reachable.`,
          )
        }
        return data({ issuer })
      },
      update: async (call) => {
        if (!call.has('issuer')) return undefined
        const { issuer } = call.input
        if (issuer !== '') checkIssuer(issuer)
        await call.records.transact(async (tx) => {
          tx.put(configRef(call), { issuer })
        })
        if (issuer === '') return undefined
        call.warn(ISSUER_WARNING)
        return data(null)
      },
    },
  }),
]
