import type { Call } from '../../engine/call.ts'
import { field } from '../../engine/field.ts'
import type { Ref } from '../../engine/records.ts'
import { recordKind } from '../../engine/records.ts'
import type { Refusal } from '../../engine/refusal.ts'
import { invalid, wrapped } from '../../engine/refusal.ts'
import { data, listOf } from '../../engine/result.ts'
import { route } from '../../engine/route.ts'
import { limits } from '../../limits.ts'
import { compareBytes } from '../../std/json.ts'
import { decodeBase64 } from './base64.ts'
import type { PasswordPolicy } from './password-policy.ts'
import {
  BadPasswordPolicy,
  drawPassword,
  isImpossible,
  parsePasswordPolicy,
  PASSWORD_LENGTHS,
} from './password-policy.ts'

/** `pp/<ns>H(name)`: a password policy. */
interface PolicyRecord {
  readonly name: string
  readonly text: string
}
const passwordPolicies = recordKind<PolicyRecord>('pp')

const name = field.string({ default: '', description: 'The policy' })

type Named = Pick<Call<{ readonly name: string }>, 'namespace' | 'names' | 'records' | 'input'>

const refOf = ({ namespace, names, input }: Named): Ref<PolicyRecord> =>
  passwordPolicies.at(namespace.number, names.hash('password-policy', input.name))

const refused = (text: string): Refusal => wrapped('invalid', text)

const parse = (text: string): PasswordPolicy => {
  try {
    return parsePasswordPolicy(text)
  } catch (error) {
    if (error instanceof BadPasswordPolicy) {
      throw refused(`invalid password policy: ${error.message}`)
    }
    throw error
  }
}

/** The text of a policy that passwords can keep to. */
const checked = (sent: string): string => {
  if (sent === '') throw refused('missing policy')
  if (Buffer.byteLength(sent) > limits.policyBytes) {
    throw invalid(`a policy has at most ${limits.policyBytes} bytes`)
  }
  const decoded = decodeBase64(sent)
  const text = Buffer.isBuffer(decoded) ? decoded.toString() : sent
  const policy = parse(text)
  const { least, most } = PASSWORD_LENGTHS
  if (policy.length < least || policy.length > most) {
    throw refused(`passwords must be between ${least} and ${most} characters`)
  }
  if (isImpossible(policy)) {
    throw refused(
      'unable to construct test password from provided policy: are the rules impossible?',
    )
  }
  return text
}

const read = async (call: Named): Promise<PolicyRecord> => {
  const present = await call.records.get(refOf(call))
  if (present === undefined) throw wrapped('missing', 'policy does not exist')
  return present
}

/** Names below a prefix; what lies deeper is shown as its folder. */
const namesBelow = async (
  call: Pick<Call, 'records' | 'namespace'>,
  prefix: string,
): Promise<string[]> => {
  const found = new Set<string>()
  for await (const page of call.records.scan(passwordPolicies.under(call.namespace.number))) {
    for (const { value } of page) {
      if (!value.name.startsWith(prefix)) continue
      const rest = value.name.slice(prefix.length)
      const end = rest.indexOf('/')
      found.add(end === -1 ? rest : rest.slice(0, end + 1))
    }
    if (found.size > limits.passwordPolicies) {
      throw invalid(`there are more than ${limits.passwordPolicies} password policies`)
    }
  }
  return [...found].sort(compareBytes)
}

/** `sys/policies/password`: what generated passwords are like. */
export const passwordPolicyRoutes = () => [
  route({
    path: 'policies/password',
    summary: 'List the password policies',
    fields: {},
    verbs: { list: async (call) => listOf(await namesBelow(call, '')) },
  }),
  route({
    path: 'policies/password/*name/generate',
    summary: 'Generate a password by a policy',
    fields: { name },
    verbs: {
      read: async (call) => {
        const policy = parse((await read(call)).text)
        return data({ password: drawPassword(policy, call.randomBytes) })
      },
    },
  }),
  route({
    path: 'policies/password/*name',
    summary: 'Write, read or delete a password policy',
    fields: {
      name,
      policy: field.string({ default: '', description: 'Its text, HCL or JSON, maybe as base64' }),
    },
    verbs: {
      read: async (call) => data({ policy: (await read(call)).text }),
      list: async (call) => listOf(await namesBelow(call, call.input.name)),
      update: async (call) => {
        const text = checked(call.input.policy)
        const ref = refOf(call)
        await call.records.transact(async (tx) => tx.put(ref, { name: call.input.name, text }))
        return undefined
      },
      delete: async (call) => {
        const ref = refOf(call)
        await call.records.transact(async (tx) => {
          if ((await tx.get(ref)) !== undefined) tx.delete(ref)
        })
        return undefined
      },
    },
  }),
]
