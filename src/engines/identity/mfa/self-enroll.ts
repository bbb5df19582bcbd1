import type { Call } from '../../../engine/call.ts'
import { field } from '../../../engine/field.ts'
import { invalid } from '../../../engine/refusal.ts'
import type { Result } from '../../../engine/result.ts'
import type { Route } from '../../../engine/route.ts'
import { route } from '../../../engine/route.ts'
import { drawSecret, methodOf, shownSecret } from './enrolment.ts'
import { findPending, putPending } from './pending.ts'
import { findMethod, findSecret } from './refs.ts'

type EnrolCall = Pick<Call, 'names' | 'namespace' | 'newId' | 'now' | 'randomBytes' | 'records'>

/**
 * Makes a secret inside a login that waits for its second factor, for an entity that has none. It becomes the entity's only when
 * this login is finished with its first passcode; until then it lies with the login and lapses with it. So a password alone never
 * replaces a factor, and a method that does not allow it, or that no enforcement names, gives nothing.
 */
const selfEnroll = async (
  call: EnrolCall,
  methodId: string,
  requestId: string,
): Promise<Result> => {
  if (methodId === '') throw invalid('missing method ID')
  if (requestId === '') throw invalid('missing request ID')
  const seen = await findMethod(call.records, call, methodId)
  const drawn = seen?.type === 'totp' ? drawSecret(seen, call) : undefined
  const made = await call.records.transact(async (tx) => {
    const pending = await findPending(tx, call, requestId)
    if (pending === undefined) throw invalid('invalid request ID')
    const method = await methodOf(tx, call, methodId)
    if (method.type !== 'totp' || !method.selfEnrollment || drawn === undefined) {
      throw invalid('self-enrollment is not enabled for this MFA method')
    }
    if ((await findSecret(tx, call, pending.entityId, methodId)) !== undefined) {
      throw invalid(`Entity already has a secret for MFA method ${JSON.stringify(method.name)}`)
    }
    if (!pending.selfEnrollment.includes(methodId)) {
      throw invalid('this login was not offered self-enrollment for this MFA method')
    }
    const { algorithm, digits, period, skew } = method
    const secret = { ...drawn, algorithm, digits, period, skew }
    putPending(tx, call, requestId, { ...pending, enrolling: secret })
    return { method, secret, entityId: pending.entityId }
  })
  return shownSecret(made.method, made.entityId, made.secret)
}

/** The route of self-enrolment, by the names that Vault documents. */
export const selfEnrollRoutes: readonly Route[] = [
  route({
    path: 'mfa/method/totp/self-enroll',
    summary: 'Make a TOTP secret while a login waits for its second factor',
    fields: {
      mfa_method_id: field.string({ default: '', description: 'Id of the TOTP method' }),
      mfa_request_id: field.string({ default: '', description: 'Id of the login that waits' }),
    },
    public: true,
    verbs: {
      update: (call) => selfEnroll(call, call.input.mfa_method_id, call.input.mfa_request_id),
    },
  }),
]
