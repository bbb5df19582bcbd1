import type { Mount } from '../engine/call.ts'
import type { MfaAnswers, MfaConstraint, MfaPort } from '../engine/ports/mfa.ts'
import { Refusal, denied, invalid } from '../engine/refusal.ts'
import type { AuthBlock, Login, LoginResult, SecondFactorResult } from '../engine/result.ts'
import type { Json } from '../std/json.ts'
import type { LoggedIn, LoginGate, LoginParts } from './login.ts'
import { logIn } from './login.ts'
import { mountRef } from './mounts.ts'
import type { RequestCall } from './request-call.ts'
import type { Rest } from './resting-tx.ts'
import { RestingTx, stillRests } from './resting-tx.ts'

/** What logins with a second factor need. */
export interface SettleParts extends LoginParts {
  readonly mfa: MfaPort
  readonly mountOf: (uuid: string) => Promise<Mount | undefined>
}

/** What became of a login: a token, or the wait for a second factor. */
export type Settled =
  | (LoggedIn & { readonly kind: 'token' })
  | { readonly kind: 'waiting'; readonly auth: AuthBlock; readonly warnings: readonly string[] }

/** A login as it waits: all that its token will be made of. Durations and times as in `Login`. */
interface Waiting {
  readonly login: Login
  readonly mountUuid: string
  readonly path: string
  readonly remoteAddress: string
  readonly rests: readonly Rest[]
}

const TWO_PHASES =
  'A login request was issued that is subject to MFA validation. Please make sure to validate the login by sending another request to mfa/validate endpoint.'

const NO_ENFORCEMENT = 'Found MFA header but failed to find MFA Enforcement Config'

/**
 * Turns a login into a token, or into a login that waits for its second factor: that is the same commit but for the token. What
 * answers it may have come along (X-Vault-MFA): then it is finished at once, and whatever is wrong with it is one 403.
 */
export const settleLogin = async (
  call: RequestCall,
  result: LoginResult,
  parts: SettleParts,
): Promise<Settled> => {
  const { mfa } = parts
  const { mount, path, remoteAddress } = call
  const requestId = call.newId()
  let resting: RestingTx | undefined
  const gate: LoginGate<readonly MfaConstraint[]> = async (tx, login, entityId) => {
    const constraints = await mfa.required(tx, call, { mount, entityId })
    if (constraints.length === 0) return { warnings: [] }
    const rests = await resting!.rests()
    const carried: Waiting = { login, mountUuid: mount.uuid, path, remoteAddress, rests }
    mfa.hold(tx, call, { requestId, entityId, heldAt: call.now, carried }, constraints)
    return { instead: constraints }
  }
  const decide: LoginResult['decide'] = (tx) => {
    resting = new RestingTx(tx)
    return result.decide(resting)
  }
  const { presented } = result
  const source = { mount, path, remoteAddress, decide, presented, passing: call.isPassing }
  const done = await logIn(call, source, parts, gate).catch(async (error: unknown) => {
    await result.refused?.(error)
    throw error
  })
  const headers = call.mfaHeaders
  if (!('instead' in done)) {
    const extra = headers.length > 0 ? [NO_ENFORCEMENT] : []
    return { ...done, kind: 'token', warnings: [...done.warnings, ...extra] }
  }
  if (headers.length === 0) {
    const auth = waitingAuth(requirementOf(requestId, done.instead))
    return { kind: 'waiting', auth, warnings: [TWO_PHASES] }
  }
  try {
    const created = call.entityCreated
    const finished = await finish(call, requestId, answersOf(headers), parts)
    call.audited('entity_created', created)
    return finished
  } catch (error) {
    if (!(error instanceof Refusal) || error.kind === 'unavailable') throw error
    await mfa.forget(call.records, call, requestId)
    throw denied()
  }
}

/** The token of a login that waited, once its second factor is answered. Throws the recorded Refusals (identity.md 6.4). */
export const finishLogin = (
  call: RequestCall,
  { requestId, answers }: SecondFactorResult,
  parts: SettleParts,
): Promise<Settled> => finish(call, requestId, answers, parts)

const unknown = (): Refusal => invalid('invalid request ID')

const finish = async (
  call: RequestCall,
  requestId: string,
  answers: MfaAnswers,
  parts: SettleParts,
): Promise<Settled> => {
  const { mfa, mountOf } = parts
  const { namespace, records } = call
  const login = await mfa.held(records, call, requestId)
  if (login === undefined) throw unknown()
  const waiting = login.carried as Waiting
  const mount = await mountOf(waiting.mountUuid)
  if (mount === undefined) throw unknown()
  const { entityId } = login
  const asked = await mfa.required(records, call, { mount, entityId })
  const proof = await mfa.prove(call, login, asked, answers)
  /** Again in the commit that makes the token: nobody else finished it, and all that let the login in is as it was. */
  const decide: LoginResult['decide'] = async (tx) => {
    const again = await mfa.held(tx, call, requestId)
    const record = await tx.get(mountRef(namespace, mount.uuid))
    const moved = record?.moved !== undefined && record.moved.at >= login.heldAt
    if (again === undefined || moved || !(await stillRests(tx, waiting.rests))) throw unknown()
    return waiting.login
  }
  const gate: LoginGate<never> = async (tx, _login, present) => {
    // The alias may have come to mean somebody else, whose second factor this was not.
    if (present !== entityId) throw unknown()
    const constraints = await mfa.required(tx, call, { mount, entityId })
    return { warnings: await mfa.spend(tx, call, login, constraints, proof) }
  }
  const { path, remoteAddress } = waiting
  // What a second factor answers is used up by it.
  const source = {
    mount,
    path,
    remoteAddress,
    decide,
    presented: undefined,
    passing: call.isPassing,
  }
  const done = await logIn(call, source, parts, gate)
  if ('instead' in done) throw new Error('a finished login has a token')
  return { ...done, kind: 'token' }
}

/** What came in headers, by method; several for one method are several answers to it. */
const answersOf = (headers: RequestCall['mfaHeaders']): MfaAnswers => {
  const answers = new Map<string, string[]>()
  for (const { method, value } of headers) {
    const sent = answers.get(method) ?? []
    if (value !== undefined) sent.push(value)
    answers.set(method, sent)
  }
  return answers
}

const requirementOf = (requestId: string, constraints: readonly MfaConstraint[]): Json => ({
  mfa_request_id: requestId,
  mfa_constraints: Object.fromEntries(
    constraints.map(({ name, methods }) => [
      name,
      {
        any: methods.map((method) => ({
          type: method.type,
          id: method.id,
          ...(method.usesPasscode ? { uses_passcode: true } : {}),
          ...(method.name === '' ? {} : { name: method.name }),
          ...(method.selfEnrollment ? { self_enrollment_enabled: true } : {}),
        })),
      },
    ]),
  ),
})

const waitingAuth = (mfaRequirement: Json): AuthBlock => ({
  clientToken: '',
  accessor: '',
  tokenPolicies: [],
  identityPolicies: [],
  metadata: null,
  leaseDurationSeconds: 0,
  renewable: false,
  entityId: '',
  tokenType: 'service',
  orphan: false,
  numUses: 0,
  mfaRequirement,
})
