import { parseQuery } from '../http/parameters.ts'
import type { Parameters } from '../http/parameters.ts'
import type { AuthorizationRequest } from './authorization-request.ts'
import { readAuthorizationRequest } from './authorization-request.ts'

/** What somebody signs in for. `path`: of this server, with its query, to come back to. */
export type Destination =
  | { readonly kind: 'home'; readonly path: string }
  | {
      readonly kind: 'device'
      readonly path: string
      readonly provider: string
      /** As it came with the link; '' for none. */
      readonly userCode: string
    }
  | {
      readonly kind: 'authorize'
      readonly path: string
      readonly request: AuthorizationRequest
    }

const PROVIDER = /^\/ui\/vault\/identity\/oidc\/provider\/(\w(?:[\w.-]*\w)?)\/(authorize|device)$/

/** What a path of this server with these parameters is for; undefined: it is none that one signs in for. */
export const destinationAt = (
  path: string,
  query: string,
  parameters: Parameters,
): Destination | undefined => {
  if (path === '/ui/') return { kind: 'home', path }
  const [, provider, kind] = PROVIDER.exec(path) ?? []
  if (provider === undefined) return undefined
  const whole = query === '' ? path : `${path}?${query}`
  return kind === 'device'
    ? {
        kind: 'device',
        path: whole,
        provider,
        userCode: parameters.get('user_code')?.[0] ?? '',
      }
    : { kind: 'authorize', path: whole, request: readAuthorizationRequest(provider, parameters) }
}

/** The same for a path with its query, as a form brought it back. */
export const destinationOf = (whole: string): Destination | undefined => {
  const question = whole.indexOf('?')
  const query = question === -1 ? '' : whole.slice(question + 1)
  return destinationAt(question === -1 ? whole : whole.slice(0, question), query, parseQuery(query))
}
