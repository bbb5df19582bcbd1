import type { Call } from '../../engine/call.ts'
import type { Fields, InputOf } from '../../engine/field.ts'
import { invalid } from '../../engine/refusal.ts'
import { data } from '../../engine/result.ts'
import type { Route } from '../../engine/route.ts'
import { route } from '../../engine/route.ts'
import { isCidrBlock } from '../../std/cidr.ts'
import type { TokenInput, Twin } from '../shared/token-fields.ts'
import { readTokenFields, tokenFields, twinFields } from '../shared/token-fields.ts'
import type { Role } from './approle-records.ts'
import { roleRef } from './approle-records.ts'
import {
  checkPeriod,
  checkLength,
  knownRole,
  noneIsNull,
  ownFields,
  putRole,
  roleName,
} from './role.ts'

/** One setting of a role under a path of its own. */
interface Part<F extends Fields> {
  readonly path: string
  readonly summary: string
  readonly fields: F
  readonly show: (role: Role) => Readonly<Record<string, unknown>>
  /** Added to reads. */
  readonly warning?: string
  /** The role after a write; throws a Refusal. Absent: the setting is only read. */
  readonly change?: (role: Role, input: Partial<InputOf<F>>, mount: Call['mount']) => Role
  /** The role after a DELETE. */
  readonly clear?: (role: Role) => Role
}

const named = { role_name: roleName }

const part = <const F extends Fields>({ change, clear, show, ...more }: Part<F>): Route => {
  const alter = async (
    call: Call<InputOf<typeof named>>,
    next: (role: Role) => Role,
    needed: boolean,
  ) => {
    await call.records.transact(async (tx) => {
      const found = await tx.get(roleRef(call, call.input.role_name))
      if (found === undefined && !needed) return
      const role = knownRole(found)
      await putRole(call, tx, role, next(role))
    })
    return undefined
  }
  return route({
    path: `role/:role_name/${more.path}`,
    summary: more.summary,
    fields: { ...more.fields, ...named },
    verbs: {
      read: async (call: Call<InputOf<typeof named>>) => {
        const role = await call.records.get(roleRef(call, call.input.role_name))
        if (role === undefined) return undefined
        if (more.warning !== undefined) call.warn(more.warning)
        return data(show(role))
      },
      ...(change && {
        update: (call: Call<InputOf<typeof named>>) =>
          alter(call, (role) => change(role, call.input as Partial<InputOf<F>>, call.mount), true),
      }),
      ...(clear && {
        delete: (call: Call<InputOf<typeof named>>) => alter(call, clear, false),
      }),
    },
  })
}

const sent = <T>(value: T | undefined, name: string): T => {
  if (value === undefined) throw invalid(`missing ${name}`)
  return value
}

const withToken = (role: Role, input: TokenInput): Role => ({
  ...role,
  token: readTokenFields(input, role.token).settings,
})

/** The role's token setting as never written; its twin is shown no more. */
const without = (role: Role, input: TokenInput, twin?: Twin): Role => {
  const { token, ...rest } = withToken(role, input)
  return { ...rest, token: { ...token, twins: token.twins.filter((name) => name !== twin) } }
}

const twin = (role: Role, name: Twin, value: unknown): Readonly<Record<string, unknown>> =>
  role.token.twins.includes(name) ? { [name]: value } : {}

const notLonger = (role: Role): Role => {
  const { ttl, maxTtl } = role.token.parameters
  if (maxTtl > 0 && ttl > maxTtl) {
    throw invalid('token_ttl should not be greater than token_max_ttl')
  }
  return role
}

const withLifetimes = (
  role: Role,
  lifetimes: { readonly ttl?: number; readonly maxTtl?: number },
): Role =>
  notLonger({
    ...role,
    token: { ...role.token, parameters: { ...role.token.parameters, ...lifetimes } },
  })

const boundTo = (role: Role, cidrs: readonly string[] | undefined): Role => {
  if (cidrs === undefined) return role
  if (cidrs.length === 0) throw invalid('missing bound_cidr_list')
  const bad = cidrs.find((cidr) => !isCidrBlock(cidr))
  if (bad !== undefined) {
    throw invalid(`failed to validate CIDR blocks: invalid CIDR address: ${bad}`)
  }
  return { ...role, secretIdBoundCidrs: cidrs }
}

/** The paths of single settings under a role (spec/auth.md 6.2). */
export const rolePartRoutes: readonly Route[] = [
  part({
    path: 'role-id',
    summary: 'The role id',
    fields: { role_id: ownFields.role_id },
    show: ({ roleId }) => ({ role_id: roleId }),
    change: (role, input) => {
      const roleId = sent(input.role_id, 'role_id')
      if (roleId === '') throw invalid('missing role_id')
      checkLength(roleId, 'role_id')
      return { ...role, roleId }
    },
  }),
  part({
    path: 'policies',
    summary: 'Policies of the tokens',
    fields: { token_policies: tokenFields.token_policies, ...twinFields('policies') },
    show: (role) => ({
      token_policies: role.token.parameters.policies,
      ...twin(role, 'policies', role.token.parameters.policies),
    }),
    change: (role, input) => {
      sent(input.token_policies ?? input.policies, 'token_policies')
      return withToken(role, { token_policies: input.token_policies, policies: input.policies })
    },
    clear: (role) => without(role, { token_policies: [] }, 'policies'),
  }),
  part({
    path: 'bind-secret-id',
    summary: 'Whether a login needs a secret id',
    fields: { bind_secret_id: ownFields.bind_secret_id },
    show: ({ bindSecretId }) => ({ bind_secret_id: bindSecretId }),
    change: (role, input) => ({
      ...role,
      bindSecretId: sent(input.bind_secret_id, 'bind_secret_id'),
    }),
    clear: (role) => ({ ...role, bindSecretId: true }),
  }),
  part({
    path: 'secret-id-num-uses',
    summary: 'Logins a secret id is good for',
    fields: { secret_id_num_uses: ownFields.secret_id_num_uses },
    show: ({ secretIdNumUses }) => ({ secret_id_num_uses: secretIdNumUses }),
    change: (role, input) => {
      const secretIdNumUses = sent(input.secret_id_num_uses, 'secret_id_num_uses')
      if (secretIdNumUses < 0) throw invalid('secret_id_num_uses cannot be negative')
      return { ...role, secretIdNumUses }
    },
    clear: (role) => ({ ...role, secretIdNumUses: 0 }),
  }),
  part({
    path: 'secret-id-ttl',
    summary: 'Lifetime of a secret id',
    fields: { secret_id_ttl: ownFields.secret_id_ttl },
    show: ({ secretIdTtlSeconds }) => ({ secret_id_ttl: secretIdTtlSeconds }),
    change: (role, input) => ({
      ...role,
      secretIdTtlSeconds: sent(input.secret_id_ttl, 'secret_id_ttl'),
    }),
    clear: (role) => ({ ...role, secretIdTtlSeconds: 0 }),
  }),
  part({
    path: 'token-num-uses',
    summary: 'Requests a token is good for',
    fields: { token_num_uses: tokenFields.token_num_uses },
    show: ({ token }) => ({ token_num_uses: token.parameters.numUses }),
    change: (role, input) => {
      const uses = sent(input.token_num_uses, 'token_num_uses')
      if (uses < 0) throw invalid('token_num_uses cannot be negative')
      return withToken(role, { token_num_uses: uses })
    },
    clear: (role) => without(role, { token_num_uses: 0 }),
  }),
  part({
    path: 'token-ttl',
    summary: 'First lifetime of the tokens',
    fields: { token_ttl: tokenFields.token_ttl },
    show: ({ token }) => ({ token_ttl: token.parameters.ttl }),
    change: (role, input) => withLifetimes(role, { ttl: sent(input.token_ttl, 'token_ttl') }),
    clear: (role) => withLifetimes(role, { ttl: 0 }),
  }),
  part({
    path: 'token-max-ttl',
    summary: 'Longest lifetime of the tokens',
    fields: { token_max_ttl: tokenFields.token_max_ttl },
    show: ({ token }) => ({ token_max_ttl: token.parameters.maxTtl }),
    change: (role, input) =>
      withLifetimes(role, { maxTtl: sent(input.token_max_ttl, 'token_max_ttl') }),
    clear: (role) => withLifetimes(role, { maxTtl: 0 }),
  }),
  part({
    path: 'period',
    summary: 'Period of the tokens',
    fields: { token_period: tokenFields.token_period, ...twinFields('period') },
    show: (role) => ({
      token_period: role.token.parameters.period,
      ...twin(role, 'period', role.token.parameters.period),
    }),
    change: (role, input, mount) => {
      sent(input.token_period ?? input.period, 'period')
      const changed = withToken(role, { token_period: input.token_period, period: input.period })
      checkPeriod(changed.token, mount)
      return changed
    },
    clear: (role) => without(role, { token_period: 0 }, 'period'),
  }),
  part({
    path: 'secret-id-bound-cidrs',
    summary: 'Blocks from which a login may come',
    fields: { secret_id_bound_cidrs: ownFields.secret_id_bound_cidrs },
    show: ({ secretIdBoundCidrs }) => ({ secret_id_bound_cidrs: secretIdBoundCidrs }),
    change: (role, input) => boundTo(role, input.secret_id_bound_cidrs),
    clear: (role) => ({ ...role, secretIdBoundCidrs: null }),
  }),
  part({
    path: 'token-bound-cidrs',
    summary: 'Addresses and blocks from which the tokens can be used',
    fields: { token_bound_cidrs: tokenFields.token_bound_cidrs },
    show: ({ token }) => ({ token_bound_cidrs: noneIsNull(token.parameters.boundCidrs) }),
    change: (role, input) => {
      if (input.token_bound_cidrs?.length === 0) throw invalid('missing bound_cidr_list')
      return withToken(role, { token_bound_cidrs: input.token_bound_cidrs })
    },
    clear: (role) => without(role, { token_bound_cidrs: [] }),
  }),
  part({
    path: 'bound-cidr-list',
    summary: 'Use secret-id-bound-cidrs',
    fields: { bound_cidr_list: ownFields.bound_cidr_list },
    // Recorded: a write sets the new list, the old one always reads null and its deletion changes nothing.
    show: () => ({ bound_cidr_list: null }),
    warning:
      'The "bound_cidr_list" field is deprecated and will be removed. Please use "secret_id_bound_cidrs" instead.',
    change: (role, input) => boundTo(role, input.bound_cidr_list),
    clear: (role) => role,
  }),
  part({
    path: 'local-secret-ids',
    summary: 'Whether secret ids are kept with the role',
    fields: {},
    show: ({ localSecretIds }) => ({ local_secret_ids: localSecretIds }),
  }),
]
