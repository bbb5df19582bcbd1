import type { HeldLogin, MfaMethodView, MfaScope } from '../../../engine/ports/mfa.ts'
import type { Records } from '../../../engine/records.ts'
import { FactorFault } from './answers.ts'
import { askDuo } from './duo.ts'
import { askOkta } from './okta.ts'
import type { Outside } from './outside.ts'
import { askPingId } from './pingid.ts'
import { findMethod } from './refs.ts'
import { usernameOf } from './username.ts'

/** How other servers are reached. */
export type Providers = Outside

/** Asks the server of a method whether it is really them. Throws a FactorFault for anything but a yes. */
export const askProvider = async (
  scope: MfaScope & { readonly records: Records; readonly remoteAddress: string },
  outside: Outside,
  { entityId }: HeldLogin,
  { id }: MfaMethodView,
  sent: readonly string[],
): Promise<'by-provider'> => {
  const method = await findMethod(scope.records, scope, id)
  if (method === undefined || method.type === 'totp') {
    throw new FactorFault('the MFA method has been changed; log in again')
  }
  const user = {
    name: await usernameOf(scope.records, scope, method.usernameFormat, entityId),
    address: scope.remoteAddress,
  }
  switch (method.type) {
    case 'duo':
      await askDuo(outside, method, user, sent)
      break
    case 'okta':
      await askOkta(outside, method, user)
      break
    case 'pingid':
      await askPingId(outside, method, user)
      break
  }
  return 'by-provider'
}
