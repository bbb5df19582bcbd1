import type { SessionPort } from '../../../engine/ports/sessions.ts'
import type { TokenPort } from '../../../engine/ports/tokens.ts'

/** What OIDC needs of the server. */
export interface OidcDeps {
  /** Tokens: those of callers, and access tokens to be made. Ready when requests come, not when routes are made. */
  readonly tokens: () => Pick<TokenPort, 'composeBatch' | 'find' | 'ofCaller' | 'sealBatch'>
  /** `https://host:8200`, as the server's configuration or its listener says; '' when neither does. */
  readonly apiAddress: () => string
  /** Sign-in sessions in browsers; absent where there is no sign-in page. */
  readonly sessions?: () => SessionPort
}
