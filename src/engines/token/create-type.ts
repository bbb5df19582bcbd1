import { invalid } from '../../engine/refusal.ts'
import { DurationError, parseVaultDuration } from '../../std/go-duration.ts'
import type { CreateCall } from './create.ts'
import type { TokenRole } from './role-record.ts'

/** The type of a new token (spec/auth.md 2.4, 5). Throws the recorded Refusals, also for what a batch token cannot have. */
export const decideType = (call: CreateCall, role: TokenRole | undefined): 'service' | 'batch' => {
  const type = typeOf(call.input.type, role)
  if (type === 'batch') checkBatch(call)
  return type
}

const typeOf = (asked: string, role: TokenRole | undefined): 'service' | 'batch' => {
  if (role?.type === 'service' || role?.type === 'batch') return role.type
  if (asked === '') return role?.type === 'default-batch' ? 'batch' : 'service'
  if (asked !== 'service' && asked !== 'batch') throw invalid("invalid 'token_type' value")
  return asked
}

const checkBatch = ({ input }: CreateCall): void => {
  const refuse = (name: string): never => {
    throw invalid(`batch tokens cannot have "${name}" set`)
  }
  if (isSet(input.explicit_max_ttl, 'explicit_max_ttl')) refuse('explicit_max_ttl')
  if (input.num_uses !== 0) refuse('num_uses')
  if (isSet(input.period, 'period')) refuse('period')
}

const isSet = (text: string, name: string): boolean => {
  try {
    return text !== '' && parseVaultDuration(text, { signed: true }) !== 0
  } catch (error) {
    if (error instanceof DurationError) throw invalid(`'${name}' value could not be parsed`)
    throw error
  }
}
