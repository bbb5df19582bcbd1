import type { Call } from '../../engine/call.ts'
import type { LiveToken, TokenPort } from '../../engine/ports/tokens.ts'
import { failed } from '../../engine/refusal.ts'
import type { AuthResult } from '../../engine/result.ts'
import { scopeOf } from './create.ts'

/**
 * Renews a token in one commit (spec/auth.md 2.6). `text` is what the answer shows as the token; undefined result: its
 * method does not renew it. `find` looks the token up again inside the transaction.
 */
export const renewToken = async (
  call: Call<unknown>,
  tokens: TokenPort,
  token: LiveToken,
  incrementSeconds: number,
  text: string,
): Promise<AuthResult | undefined> => {
  const renewed = await call.records.transact((tx) =>
    tokens.renew(tx, scopeOf(call), token, incrementSeconds),
  )
  if (renewed === undefined) {
    if (text === '') throw failed('failed to lookup the token')
    return undefined
  }
  for (const warning of renewed.warnings) call.warn(warning)
  return { kind: 'auth', auth: { ...renewed.auth, clientToken: text } }
}
