import type { TokenPort } from '../../../engine/ports/tokens.ts'

/** What OIDC needs of the server. */
export interface OidcDeps {
  /** Tokens: those of callers, and access tokens to be made. Ready when requests come, not when routes are made. */
  readonly tokens: () => Pick<TokenPort, 'composeBatch' | 'ofCaller' | 'sealBatch'>
  /** `https://host:8200`, as the server's configuration or its listener says; '' when neither does. */
  readonly apiAddress: () => string
}
