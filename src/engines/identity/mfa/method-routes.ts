import type { Call } from '../../../engine/call.ts'
import type { Fields, InputOf } from '../../../engine/field.ts'
import { field } from '../../../engine/field.ts'
import { Refusal, invalid } from '../../../engine/refusal.ts'
import type { Route } from '../../../engine/route.ts'
import { route } from '../../../engine/route.ts'
import {
  duoFields,
  duoMethod,
  oktaFields,
  oktaMethod,
  pingidFields,
  pingidMethod,
  totpFields,
  totpMethod,
} from './method-fields.ts'
import { deleteMethod, listMethods, readMethod, requireId, writeMethod } from './methods.ts'
import type { MethodRecord, MethodType } from './records.ts'

interface CommonInput {
  readonly method_id: string
  readonly method_name: string
}

const missingId = (): never => {
  throw invalid('missing method ID')
}

/** For verbs that a path would have if its last segment were an id, and has not. */
const unsupported = (call: { readonly input: { readonly method_id: string } }): never => {
  requireId(call.input.method_id)
  throw new Refusal('unsupported', 'unsupported operation', { wrap: true })
}

/** The methods of a type, and one of them. */
const ofType = <F extends Fields>(
  type: MethodType,
  label: string,
  fields: F,
  parse: (call: Call<InputOf<F>>, head: Pick<MethodRecord, 'id' | 'name'>) => MethodRecord,
): readonly Route[] => {
  const inputOf = (call: Call<InputOf<F>>) => call.input as unknown as CommonInput
  const write = (call: Call<InputOf<F>>) => {
    const { method_id: id, method_name: name } = inputOf(call)
    return writeMethod(call, { type, id, name }, (head) => parse(call, head))
  }
  const idOf = (call: Call<InputOf<F>>): string => {
    const { method_id: id } = inputOf(call)
    requireId(id)
    return id
  }
  return [
    route<F>({
      path: `mfa/method/${type}`,
      summary: `Make or list MFA methods: ${label}`,
      fields,
      verbs: { read: missingId, list: (call) => listMethods(call, type), update: write },
    }),
    route<F>({
      path: `mfa/method/${type}/:method_id`,
      summary: `Read, change or delete an MFA method: ${label}`,
      fields,
      verbs: {
        read: (call) => readMethod(call, idOf(call), type),
        list: (call) => unsupported({ input: inputOf(call) }),
        update: (call) => {
          idOf(call)
          return write(call)
        },
        delete: (call) => deleteMethod(call, idOf(call), type),
      },
    }),
  ]
}

/** The routes of MFA methods (identity.md 6.1). They come after those with a literal in the place of an id. */
export const methodRoutes: readonly Route[] = [
  route({
    path: 'mfa/method',
    summary: 'List the MFA methods of all types',
    fields: {},
    verbs: { read: missingId, list: (call) => listMethods(call) },
  }),
  ...ofType('totp', 'passcodes of authenticator apps', totpFields, totpMethod),
  ...ofType('okta', 'a push by Okta', oktaFields, oktaMethod),
  ...ofType('duo', 'a push or passcode of Duo', duoFields, duoMethod),
  ...ofType('pingid', 'a push by PingID', pingidFields, pingidMethod),
  route({
    path: 'mfa/method/:method_id',
    summary: 'Read an MFA method of any type',
    fields: { method_id: field.string({ default: '', description: 'Id of the method' }) },
    verbs: {
      read: (call) => {
        requireId(call.input.method_id)
        return readMethod(call, call.input.method_id)
      },
      list: unsupported,
      update: unsupported,
      delete: unsupported,
    },
  }),
]
