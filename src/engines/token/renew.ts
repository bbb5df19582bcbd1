import type { Call } from '../../engine/call.ts'
import type { RenewRequest } from '../../engine/engine.ts'
import type { LiveToken, TokenPort } from '../../engine/ports/tokens.ts'
import type { Tx } from '../../engine/records.ts'
import { failed } from '../../engine/refusal.ts'
import type { AuthResult, Renewal } from '../../engine/result.ts'
import { goQuote } from '../../std/go-quote.ts'
import { scopeOf } from './create.ts'
import { roleRef } from './role-record.ts'

/**
 * Renews a token in one commit (spec/auth.md 2.6). `text` is what the answer shows as the token; undefined result: its
 * method does not renew it.
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

/** A token of a role is renewed as the role is now; what its creation asked for no longer counts (spec/auth.md 4.3). */
export const renewByRole = async (request: RenewRequest, tx: Tx): Promise<Renewal> => {
  const name = request.internal['role'] ?? ''
  const role = await tx.get(roleRef(request, name))
  if (role === undefined) {
    throw failed(`original token role ${goQuote(name)} could not be found, not renewing`)
  }
  return { ttl: 0, maxTtl: 0, period: role.period, explicitMaxTtl: role.explicitMaxTtl }
}
