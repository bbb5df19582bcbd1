import type { Namespace } from '../call.ts'
import type { Names, Reader } from '../records.ts'

/** Who asks for somebody to be signed in, as the authorization request says. */
export interface AskedApplication {
  /** Name of the OIDC provider. */
  readonly provider: string
  readonly clientId: string
  readonly redirectUri: string
}

/** What a sign-in page must know before anybody has signed in. */
export interface AuthorizationPort {
  /**
   * The name of the application that asks, or why it is refused, in the words of the authorization endpoint. Only to one that is
   * not refused may a browser be sent, with a code or an error: its return address is registered.
   */
  application(
    reader: Reader,
    place: { readonly names: Names; readonly namespace: Namespace },
    asked: AskedApplication,
  ): Promise<{ readonly name: string } | { readonly refused: string }>
}
