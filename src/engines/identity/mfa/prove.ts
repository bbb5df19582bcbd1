import type {
  HeldLogin,
  MfaAnswers,
  MfaConstraint,
  MfaMethodView,
  MfaProof,
  MfaScope,
} from '../../../engine/ports/mfa.ts'
import type { Records, Tx } from '../../../engine/records.ts'
import type { Refusal } from '../../../engine/refusal.ts'
import { denied, errorList, invalid } from '../../../engine/refusal.ts'
import { FactorFault, notCorrect } from './answers.ts'
import type { TotpProof } from './check-totp.ts'
import { checkTotp, useTotp } from './check-totp.ts'
import { dropPending, findPending } from './pending.ts'
import type { Providers } from './providers.ts'
import { askProvider } from './providers.ts'

/** Which methods were answered, by id; with what is to be used up, unless the answer came from another server. */
interface Proof extends MfaProof {
  readonly answered: ReadonlyMap<string, TotpProof | 'by-provider'>
}

export interface ProveScope extends MfaScope {
  readonly records: Records
  readonly remoteAddress: string
}

const unsatisfied = (name: string, detail: string): Refusal =>
  denied(`failed to satisfy enforcement ${name}. error: ${detail}`)

const failedFor = ({ name, methods }: MfaConstraint, faults: readonly string[]): Refusal =>
  unsatisfied(
    name,
    errorList([
      ...faults,
      `login MFA validation failed for methodID: [${methods.map(({ id }) => id).join(' ')}]`,
    ]),
  )

const sentFor = (answers: MfaAnswers, { id, name }: MfaMethodView): readonly string[] | undefined =>
  answers.get(id) ?? (name === '' ? undefined : answers.get(name))

/** See MfaPort.prove. Each method is asked once, however many enforcements it can satisfy. */
export const prove = async (
  scope: ProveScope,
  providers: Providers,
  login: HeldLogin,
  constraints: readonly MfaConstraint[],
  answers: MfaAnswers,
): Promise<MfaProof> => {
  const answered = new Map<string, TotpProof | 'by-provider'>()
  const faults = new Map<string, string>()
  const ask = async (method: MfaMethodView, sent: readonly string[]): Promise<boolean> => {
    if (answered.has(method.id)) return true
    if (faults.has(method.id)) return false
    try {
      const proof =
        method.type === 'totp'
          ? await checkTotp(scope, login, method, sent)
          : await askProvider(scope, providers, login, method, sent)
      answered.set(method.id, proof)
      return true
    } catch (error) {
      if (!(error instanceof FactorFault)) throw error
      faults.set(method.id, error.message)
      return false
    }
  }
  for (const constraint of constraints) {
    const { methods, name } = constraint
    const tried = methods.filter((method) => sentFor(answers, method) !== undefined)
    if (tried.length === 0) {
      const lines = methods.map(
        ({ id, name: method }) =>
          `failed to find MFA credentials associated with an MFA method ID ${id}, method name ${method}`,
      )
      throw unsatisfied(name, `failed to sanitize MFA creds, ${errorList(lines)}`)
    }
    let satisfied = false
    for (const method of tried) {
      satisfied ||= await ask(method, sentFor(answers, method)!)
    }
    if (!satisfied)
      throw failedFor(
        constraint,
        tried.map(({ id }) => faults.get(id)!),
      )
  }
  const proof: Proof = { kind: 'mfa-proof', answered }
  return proof
}

/** See MfaPort.spend. */
export const spend = async (
  tx: Tx,
  scope: MfaScope,
  login: HeldLogin,
  constraints: readonly MfaConstraint[],
  proof: MfaProof,
): Promise<readonly string[]> => {
  const pending = await findPending(tx, scope, login.requestId)
  if (pending === undefined) throw invalid('invalid request ID')
  const { answered } = proof as Proof
  const uncovered = constraints.find(({ methods }) => !methods.some(({ id }) => answered.has(id)))
  if (uncovered !== undefined) throw failedFor(uncovered, [notCorrect().message])
  const warnings: string[] = []
  for (const [id, answer] of answered) {
    if (answer === 'by-provider') continue
    const used = await useTotp(tx, scope, login, id, answer)
    if (used === false) {
      const constraint = constraints.find(({ methods }) =>
        methods.some((method) => method.id === id),
      )
      throw constraint === undefined ? denied() : failedFor(constraint, [notCorrect().message])
    }
    warnings.push(...used)
  }
  dropPending(tx, scope, login.requestId, pending)
  return warnings
}
