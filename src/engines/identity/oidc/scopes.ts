import type { Call } from '../../../engine/call.ts'
import type { InputOf } from '../../../engine/field.ts'
import { field } from '../../../engine/field.ts'
import { invalid } from '../../../engine/refusal.ts'
import { data, listOf } from '../../../engine/result.ts'
import type { Route } from '../../../engine/route.ts'
import { route } from '../../../engine/route.ts'
import { oidcProviders, oidcScopes } from './records.ts'
import { allByName, putObject, scopeRef } from './refs.ts'
import { readTemplate } from './template-claims.ts'

const fields = {
  name: field.string({ default: '', description: 'Name of the scope' }),
  template: field.string({ description: 'Claims of the scope: a JSON template, or base64 of one' }),
  description: field.string({ description: 'What the scope tells' }),
}

type ScopeCall = Call<InputOf<typeof fields>>

/** The scope that every provider has. */
export const OPENID = 'openid'

const writeScope = async (call: ScopeCall): Promise<void> => {
  const { input } = call
  if (input.name === OPENID) throw invalid(`the "${OPENID}" scope name is reserved`)
  const template = input.template === undefined ? undefined : readTemplate(input.template, call.now)
  const ref = scopeRef(call, input.name)
  await call.records.transact(async (tx) => {
    const present = await tx.get(ref)
    putObject(tx, ref, {
      name: input.name,
      template: template ?? present?.template ?? '',
      description: input.description ?? present?.description ?? '',
      providers: present?.providers ?? 0,
    })
  })
}

const deleteScope = async (call: ScopeCall): Promise<void> => {
  const { name } = call.input
  const ref = scopeRef(call, name)
  const used = await call.records.transact(async (tx) => {
    const present = await tx.get(ref)
    if (present === undefined) return false
    if (present.providers > 0) return true
    tx.delete(ref)
    return false
  })
  if (!used) return
  const providers = await allByName(
    call.records,
    oidcProviders.under(call.namespace.number),
    ({ scopes }) => scopes.includes(name),
  )
  throw invalid(
    `unable to delete scope "${name}" because it is currently referenced by these providers: ${providers.map((provider) => provider.name).join(', ')}`,
  )
}

/** The routes of scopes. */
export const scopeRoutes: readonly Route[] = [
  route({
    path: 'oidc/scope',
    summary: 'List the scopes',
    fields: {},
    verbs: {
      list: async ({ records, namespace }) => {
        const scopes = await allByName(records, oidcScopes.under(namespace.number))
        return listOf(scopes.map(({ name }) => name))
      },
    },
  }),
  route({
    path: 'oidc/scope/:name',
    summary: 'Create, read, update or delete a scope: claims that a client can ask for',
    fields,
    exists: (call) => scopeRef(call, call.input.name),
    verbs: {
      read: async (call) => {
        const scope = await call.records.get(scopeRef(call, call.input.name))
        if (scope === undefined) return undefined
        return data({ template: scope.template, description: scope.description })
      },
      update: async (call) => {
        await writeScope(call)
        return undefined
      },
      delete: async (call) => {
        await deleteScope(call)
        return undefined
      },
    },
  }),
]
