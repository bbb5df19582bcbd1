import type { Call } from '../../../engine/call.ts'
import type { InputOf } from '../../../engine/field.ts'
import { field } from '../../../engine/field.ts'
import type { Reader, Tx } from '../../../engine/records.ts'
import { failed, invalid } from '../../../engine/refusal.ts'
import type { Result } from '../../../engine/result.ts'
import { data, listOf } from '../../../engine/result.ts'
import type { Route } from '../../../engine/route.ts'
import { route } from '../../../engine/route.ts'
import { limits } from '../../../limits.ts'
import { DEFAULT_PROVIDER, withDefault } from './defaults.ts'
import type { OidcDeps } from './deps.ts'
import { allowsClient } from './identity-token.ts'
import { ISSUER_WARNING, checkIssuer, providerIssuer } from './issuer.ts'
import type { ProviderRecord, ScopeRecord } from './records.ts'
import { oidcProviders } from './records.ts'
import type { Place } from './refs.ts'
import { allByName, providerRef, putObject, scopeRef, sortedSet } from './refs.ts'
import { topLevelKeys } from './template-claims.ts'

const fields = {
  name: field.string({ default: '', description: 'Name of the provider' }),
  issuer: field.string({
    description: 'Scheme, host and port of its issuer; empty: the API address',
  }),
  allowed_client_ids: field.commaList({ description: 'Clients that may use it; * for all' }),
  scopes_supported: field.commaList({ description: 'Scopes that clients may ask for' }),
}

const listFields = {
  allowed_client_id: field.string({
    default: '',
    description: 'List only providers that this client may use',
  }),
}

type ProviderCall = Call<InputOf<typeof fields>>

/** The provider of a name; the default one exists also before anybody stored it. */
export const findProvider = async (
  reader: Reader,
  place: Place,
  name: string,
): Promise<ProviderRecord | undefined> =>
  (await reader.get(providerRef(place, name))) ??
  (name === DEFAULT_PROVIDER.name ? DEFAULT_PROVIDER : undefined)

/** The scopes of these names, in their order; what does not exist is left out. */
export const findScopes = async (
  reader: Reader,
  place: Place,
  names: readonly string[],
): Promise<readonly ScopeRecord[]> => {
  const found = await reader.getMany(names.map((name) => scopeRef(place, name)))
  return found.filter((scope) => scope !== undefined)
}

/** What is to be said about scopes that set the same claim. Throws the recorded 500 for one without a template. */
const scopeConflicts = (scopes: readonly ScopeRecord[], now: number): readonly string[] => {
  const owners = new Map<string, string>()
  const conflicts: string[] = []
  for (const { name, template } of scopes) {
    if (template === '') throw failed('unexpected end of JSON input')
    for (const key of topLevelKeys(template, now)) {
      const owner = owners.get(key)
      if (owner !== undefined) {
        conflicts.push(
          `Found scope templates with conflicting top-level keys: conflict "${key}" in scopes "${name}", "${owner}". This may result in an error if the scopes are requested in an OIDC Authentication Request.`,
        )
      }
      owners.set(key, name)
    }
  }
  return conflicts
}

/** Counts a provider on the scopes that it gained or lost. */
const countScopes = async (
  tx: Tx,
  place: Place,
  before: readonly string[],
  after: readonly string[],
): Promise<void> => {
  const count = async (names: readonly string[], by: number): Promise<void> => {
    for (const scope of await findScopes(tx, place, names)) {
      tx.put(scopeRef(place, scope.name), { ...scope, providers: scope.providers + by })
    }
  }
  await count(
    after.filter((name) => !before.includes(name)),
    1,
  )
  await count(
    before.filter((name) => !after.includes(name)),
    -1,
  )
}

/** Makes or changes a provider (identity.md 5.8); gives what is to be warned of. Throws the recorded Refusals. */
const writeProvider = async (call: ProviderCall): Promise<readonly string[]> => {
  const { name, issuer, allowed_client_ids: allowed, scopes_supported: supported } = call.input
  if (issuer !== undefined && issuer !== '') checkIssuer(issuer)
  if ((supported?.length ?? 0) > limits.oidcReferences) {
    throw invalid(`a provider has at most ${limits.oidcReferences} scopes`)
  }
  return call.records.transact(async (tx) => {
    const present = await findProvider(tx, call, name)
    const provider: ProviderRecord = {
      name,
      issuer: issuer ?? present?.issuer ?? '',
      allowedClientIds:
        allowed === undefined ? (present?.allowedClientIds ?? []) : sortedSet(allowed),
      scopes: supported === undefined ? (present?.scopes ?? []) : sortedSet(supported),
    }
    const scopes = await findScopes(tx, call, provider.scopes)
    const missing = provider.scopes.find((scope) => !scopes.some((found) => found.name === scope))
    if (missing !== undefined) throw invalid(`scope "${missing}" does not exist`)
    const conflicts = scopeConflicts(scopes, call.now)
    putObject(tx, providerRef(call, name), provider)
    await countScopes(tx, call, present?.scopes ?? [], provider.scopes)
    return [...(issuer === undefined || issuer === '' ? [] : [ISSUER_WARNING]), ...conflicts]
  })
}

const deleteProvider = async (call: ProviderCall): Promise<void> => {
  const { name } = call.input
  if (name === DEFAULT_PROVIDER.name) {
    throw invalid(`deletion of OIDC provider "${name}" not allowed`)
  }
  const ref = providerRef(call, name)
  await call.records.transact(async (tx) => {
    const provider = await tx.get(ref)
    if (provider === undefined) return
    tx.delete(ref)
    await countScopes(tx, call, provider.scopes, [])
  })
}

const shown = (
  call: Pick<Call, 'namespace'>,
  deps: OidcDeps,
  provider: ProviderRecord,
): Readonly<Record<string, unknown>> => ({
  issuer: providerIssuer(call, deps, provider),
  allowed_client_ids: provider.allowedClientIds,
  scopes_supported: provider.scopes,
})

const listProviders = async (
  call: Call<InputOf<typeof listFields>>,
  deps: OidcDeps,
): Promise<Result> => {
  const wanted = call.input.allowed_client_id
  const stored = await allByName(call.records, oidcProviders.under(call.namespace.number))
  const providers = withDefault(stored, DEFAULT_PROVIDER).filter(
    ({ allowedClientIds }) => wanted === '' || allowsClient(allowedClientIds, wanted),
  )
  return listOf(
    providers.map(({ name }) => name),
    Object.fromEntries(providers.map((provider) => [provider.name, shown(call, deps, provider)])),
  )
}

/** The routes of providers themselves; what clients ask of one stands in provider-discovery.ts and its neighbours. */
export const providerRoutes = (deps: OidcDeps): readonly Route[] => [
  route({
    path: 'oidc/provider',
    summary: 'List the OIDC providers',
    fields: listFields,
    verbs: { list: (call) => listProviders(call, deps) },
  }),
  route({
    path: 'oidc/provider/:name',
    summary: 'Create, read, update or delete an OIDC provider',
    fields,
    exists: (call) => providerRef(call, call.input.name),
    verbs: {
      read: async (call) => {
        const provider = await findProvider(call.records, call, call.input.name)
        return provider === undefined ? undefined : data(shown(call, deps, provider))
      },
      update: async (call) => {
        const warnings = await writeProvider(call)
        for (const warning of warnings) call.warn(warning)
        return warnings.length === 0 ? undefined : data(null)
      },
      delete: async (call) => {
        await deleteProvider(call)
        return undefined
      },
    },
  }),
]
