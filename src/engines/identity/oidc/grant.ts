import type { Call } from '../../../engine/call.ts'
import type { Tx } from '../../../engine/records.ts'
import type { RawResult } from '../../../engine/result.ts'
import type { Member } from '../../../std/json.ts'
import type { OidcDeps } from './deps.ts'
import type { OAuthError } from './oauth-error.ts'
import type { ClientRecord, KeyRecord, ProviderRecord } from './records.ts'
import type { Signer, SigningKey } from './signer.ts'

/** The parameters of a token request that grants look at. */
export type TokenCall = Call<{
  readonly code: string
  readonly redirect_uri: string
  readonly code_verifier: string | undefined
  readonly refresh_token: string
  readonly device_code: string
  readonly scope: string
}>

/** Who asks for tokens, of whom, and what signs them: as the request's one transaction saw it. */
export interface Asking {
  readonly provider: ProviderRecord
  readonly client: ClientRecord
  readonly key: KeyRecord
  readonly signing: SigningKey
}

/** How a grant ends: the answer is made after the commit, because signing takes long; a refusal may come with a commit, too. */
export type Outcome = OAuthError | (() => Promise<RawResult>)

/** One request of a grant type. What it throws writes nothing; what it gives is committed with what it wrote. */
export type Grant = (call: TokenCall) => (tx: Tx, asking: Asking) => Promise<Outcome>

/** What grants work with. */
export interface GrantTools {
  /** 200, not to be kept. */
  readonly answer: (members: readonly Member[]) => RawResult
  readonly deps: OidcDeps
  readonly signer: Signer
}
