import type { Engine } from '../../engine/engine.ts'
import { field } from '../../engine/field.ts'
import type { TokenPort } from '../../engine/ports/tokens.ts'
import { denied, invalid } from '../../engine/refusal.ts'
import { data, listPages } from '../../engine/result.ts'
import { route } from '../../engine/route.ts'
import { createToken, scopeOf } from './create.ts'
import type { CreateCall } from './create.ts'
import { createFields } from './fields.ts'
import { describeOwn, describeToken, findAccessor, findToken, lookupToken } from './lookup.ts'
import { renewByRole, renewToken } from './renew.ts'
import { roleRoutes } from './role-routes.ts'

const token = field.string({ default: '', description: 'The token' })
const accessor = field.string({ default: '', description: 'Accessor of the token' })
const increment = field.duration({ default: 0, description: 'How much longer it should live' })

/** `auth/token/`: creates, looks up, renews and revokes tokens (spec/auth.md 2). */
export const createTokenEngine = ({ tokens }: { readonly tokens: TokenPort }): Engine => {
  const lookupSelf = {
    read: (call: CreateCall) => Promise.resolve(describeOwn(call, tokens)),
  }
  const lookup = (call: CreateCall & { readonly input: { readonly token: unknown } }) => {
    const given = call.input.token
    if (!call.has('token' as never))
      return lookupToken(call, tokens, tokens.textOfCaller(call.caller!))
    if (typeof given !== 'string') throw denied('invalid token')
    return lookupToken(call, tokens, given === '' ? tokens.textOfCaller(call.caller!) : given)
  }
  return {
    type: 'token',
    class: 'auth',
    summary: 'Tokens: the credentials that all other requests carry.',
    renew: renewByRole,
    routes: [
      ...roleRoutes(),
      route({
        path: 'create',
        summary: 'Create a token from the calling one',
        fields: createFields,
        verbs: {
          update: (call) => createToken(call, tokens, { orphan: false, roleName: undefined }),
        },
      }),
      route({
        path: 'create-orphan',
        summary: 'Create a token without a parent',
        fields: createFields,
        verbs: {
          update: (call) => createToken(call, tokens, { orphan: true, roleName: undefined }),
        },
      }),
      route({
        path: 'create/:role_name',
        summary: 'Create a token by a role',
        fields: { ...createFields, role_name: field.string({ default: '', description: 'Role' }) },
        verbs: {
          update: (call) =>
            createToken(call, tokens, { orphan: false, roleName: call.input.role_name }),
        },
      }),
      route({
        path: 'lookup',
        summary: 'Look up a token',
        fields: { token: field.any({ description: 'The token; the calling one when missing' }) },
        verbs: { read: (call) => lookup(call as never), update: (call) => lookup(call as never) },
      }),
      route({
        path: 'lookup-self',
        summary: 'Look up the calling token',
        fields: { token: field.any({ description: 'Not looked at' }) },
        verbs: {
          read: (call) => lookupSelf.read(call as never),
          update: (call) => lookupSelf.read(call as never),
        },
      }),
      route({
        path: 'lookup-accessor',
        summary: 'Look up a token by its accessor',
        fields: { accessor },
        verbs: {
          update: async (call) =>
            describeToken(call, tokens, await findAccessor(call, tokens, call.input.accessor), ''),
        },
      }),
      route({
        path: 'renew',
        summary: 'Renew a token',
        fields: { token, increment },
        verbs: {
          update: async (call) => {
            const text = call.input.token
            if (text === '') throw invalid('missing token ID')
            const found = await findToken(call, tokens, text)
            if (found === undefined) throw invalid('token not found')
            return renewToken(call, tokens, found, call.input.increment, text)
          },
        },
      }),
      route({
        path: 'renew-self',
        summary: 'Renew the calling token',
        fields: { token: field.any({ description: 'Not looked at' }), increment },
        verbs: {
          update: (call) =>
            renewToken(
              call,
              tokens,
              tokens.ofCaller(call.caller!),
              call.input.increment,
              tokens.textOfCaller(call.caller!),
            ),
        },
      }),
      route({
        path: 'renew-accessor',
        summary: 'Renew a token by its accessor',
        fields: { accessor, increment },
        verbs: {
          update: async (call) =>
            renewToken(
              call,
              tokens,
              await findAccessor(call, tokens, call.input.accessor),
              call.input.increment,
              '',
            ),
        },
      }),
      route({
        path: 'revoke',
        summary: 'Revoke a token and all that descends from it',
        fields: { token },
        verbs: {
          update: async (call) => {
            const text = call.input.token
            if (text === '') throw invalid('missing token ID')
            await call.records.transact(async (tx) => {
              const found = await tokens.find(tx, scopeOf(call), text)
              if (found !== undefined) tokens.revoke(tx, scopeOf(call), found)
            })
            return undefined
          },
        },
      }),
      route({
        path: 'revoke-self',
        summary: 'Revoke the calling token and all that descends from it',
        fields: {},
        verbs: {
          update: async (call) => {
            // It ends with this request anyway.
            if (call.caller!.passing) return undefined
            await call.records.transact(async (tx) => {
              tokens.revoke(tx, scopeOf(call), tokens.ofCaller(call.caller!))
            })
            return undefined
          },
        },
      }),
      route({
        path: 'revoke-accessor',
        summary: 'Revoke a token by its accessor',
        fields: { accessor },
        verbs: {
          update: async (call) => {
            const { accessor: given } = call.input
            if (given === '') return findAccessor(call, tokens, given).then(() => undefined)
            const gone = await call.records.transact(async (tx) => {
              const found = await tokens.findByAccessor(tx, scopeOf(call), given)
              if (found !== undefined) tokens.revoke(tx, scopeOf(call), found)
              return found
            })
            if (gone !== undefined) return undefined
            call.warn('No token found with this accessor')
            return data(null)
          },
        },
      }),
      route({
        path: 'revoke-orphan',
        summary: 'Revoke a token and make orphans of its children; needs sudo',
        fields: { token },
        verbs: {
          update: async (call) => {
            const text = call.input.token
            if (text === '') throw invalid('missing token ID')
            if (!call.caller!.sudo) {
              throw invalid('root or sudo privileges required to revoke and orphan')
            }
            await call.records.transact(async (tx) => {
              const found = await tokens.find(tx, scopeOf(call), text)
              if (found === undefined) throw invalid('token to revoke not found')
              tokens.revokeOrphan(tx, scopeOf(call), found)
            })
            return undefined
          },
        },
      }),
      route({
        path: 'accessors',
        summary: 'List the accessors of all tokens; needs sudo',
        sudo: true,
        fields: {},
        verbs: {
          list: (call) =>
            listPages(
              (async function* () {
                for await (const keys of tokens.accessors(call.records, scopeOf(call)))
                  yield { keys }
              })(),
            ),
        },
      }),
      route({
        path: 'tidy',
        summary: 'Clean up what ended tokens left behind',
        fields: {},
        verbs: {
          update: (call) => {
            tokens.tidy()
            call.warn(
              "Tidy operation successfully started. Any information from the operation will be printed to OpenBao's server logs.",
            )
            return data(null, { status: 202 })
          },
        },
      }),
    ],
  }
}
