import type { Call } from '../../engine/call.ts'
import { field } from '../../engine/field.ts'
import { invalid } from '../../engine/refusal.ts'
import type { Result } from '../../engine/result.ts'
import { data, listOf, raw } from '../../engine/result.ts'
import { route } from '../../engine/route.ts'
import { limits } from '../../limits.ts'
import { nextPart, parseLeaseId, tokenLeaseId } from './lease-id.ts'
import type { SystemOptions } from './options.ts'
import { timeText } from './time-text.ts'
import { trimSlashes } from '../../std/trim-slashes.ts'

/** Tokens ended in one commit: each costs two writes. */
const REVOKED_AT_ONCE = 50

const leaseFields = {
  lease_id: field.string({ default: '', description: 'The lease' }),
  url_lease_id: field.string({ default: '', description: 'The lease, in the path' }),
}
const sync = field.bool({
  default: true,
  description: 'Not used: it is done when the answer comes',
})
const prefix = field.string({ default: '', description: 'What the lease ids begin with' })

type LeaseCall = Call<{ readonly lease_id: string; readonly url_lease_id: string }>
type PrefixCall = Call<{ readonly prefix: string }>

const idOf = ({ input }: Pick<LeaseCall, 'input'>): string => {
  const id = input.url_lease_id === '' ? input.lease_id : input.url_lease_id
  if (id === '') throw invalid('lease_id must be specified')
  return id
}

const folder = (path: string): string => {
  const bare = trimSlashes(path)
  return bare === '' ? '' : `${bare}/`
}

const lookup = async (call: LeaseCall, { ports }: SystemOptions): Promise<Result> => {
  const id = idOf(call)
  const parsed = parseLeaseId(id)
  const found =
    parsed === undefined
      ? undefined
      : await ports().tokens.findByKey(call.records, call, parsed.key)
  if (found?.record.leased !== true || found.record.path !== parsed!.path) {
    throw invalid('invalid lease')
  }
  const { record } = found
  return data({
    id,
    path: record.path,
    issue_time: timeText(record.createdAt),
    expire_time: record.expiresAt === undefined ? null : timeText(record.expiresAt),
    last_renewal: record.renewedAt === undefined ? null : timeText(record.renewedAt),
    renewable: record.renewable,
    ttl: record.expiresAt === undefined ? 0 : Math.floor((record.expiresAt - call.now) / 1000),
  })
}

const renew = async (call: LeaseCall, options: SystemOptions): Promise<never> => {
  const parsed = parseLeaseId(idOf(call))
  const found = parsed && (await options.ports().tokens.findByKey(call.records, call, parsed.key))
  if (found?.record.leased !== true || found.record.path !== parsed!.path) {
    throw invalid('lease not found')
  }
  throw invalid('tokens cannot be renewed through this endpoint')
}

/** Done in the request whatever `sync` says; the status tells what was asked for. */
const done = (inTheRequest: boolean): Result => (inTheRequest ? undefined : raw(202, ''))

const revoke = async (
  call: LeaseCall & { readonly input: { readonly sync: boolean } },
  { ports }: SystemOptions,
): Promise<Result> => {
  const parsed = parseLeaseId(idOf(call))
  if (parsed !== undefined) {
    await call.records.transact(async (tx) => {
      const found = await ports().tokens.findByKey(tx, call, parsed.key)
      if (found?.record.leased === true && found.record.path === parsed.path) {
        ports().tokens.revoke(tx, call, found)
      }
    })
  }
  return done(call.input.sync)
}

const revokePrefix = async (
  call: PrefixCall & { readonly input: { readonly sync: boolean } },
  { ports }: SystemOptions,
): Promise<Result> => {
  const { tokens } = ports()
  const wanted = folder(call.input.prefix)
  const end = async (keys: readonly Uint8Array[]): Promise<void> => {
    await call.records.transact((tx) => tokens.revokeKeys(tx, call, keys))
  }
  let keys: Uint8Array[] = []
  for await (const page of tokens.leased(call.records, call)) {
    for (const { key, path } of page) {
      if (!`${path}/`.startsWith(wanted)) continue
      keys.push(key)
      if (keys.length < REVOKED_AT_ONCE) continue
      await end(keys)
      keys = []
    }
  }
  if (keys.length > 0) await end(keys)
  return done(call.input.sync)
}

const list = async (call: PrefixCall, { ports }: SystemOptions): Promise<Result> => {
  const wanted = folder(call.input.prefix)
  const names = new Set<string>()
  for await (const page of ports().tokens.leased(call.records, call)) {
    for (const { key, path } of page) {
      const id = tokenLeaseId(path, key)
      if (id.startsWith(wanted)) names.add(nextPart(id, wanted))
    }
    if (names.size > limits.sortedNames) {
      throw invalid(`there are more than ${limits.sortedNames} leases here: list a longer prefix`)
    }
  }
  return listOf([...names].sort())
}

const isIrrevocable = (call: Pick<Call<{ readonly type: string }>, 'input'>): boolean =>
  call.input.type === 'irrevocable'

const type = field.string({ default: '', description: '`irrevocable`' })
const revokeByPrefix = (options: SystemOptions, path: string) =>
  route({
    path,
    summary: 'End all leases whose ids begin with a path; needs sudo',
    description: 'Looks at every token of the server.',
    fields: { prefix, sync },
    sudo: true,
    verbs: { update: (call) => revokePrefix(call, options) },
  })

/** `sys/leases/`: the leases of tokens. There are no others yet. */
export const leaseRoutes = (options: SystemOptions) => [
  route({
    path: 'leases/lookup',
    summary: 'Tell about a lease',
    fields: leaseFields,
    verbs: { update: (call) => lookup(call, options) },
  }),
  route({
    path: 'leases/lookup/*prefix?',
    summary: 'List leases; needs sudo',
    description: 'Looks at every token of the server.',
    fields: { prefix },
    sudo: true,
    verbs: { list: (call) => list(call, options) },
  }),
  route({
    path: 'leases/renew/*url_lease_id?',
    summary: 'Renew a lease: refused for those of tokens',
    fields: {
      ...leaseFields,
      increment: field.duration({ default: 0, description: 'How much longer it should live' }),
    },
    verbs: { update: (call) => renew(call, options) },
  }),
  route({
    path: 'leases/revoke/*url_lease_id?',
    summary: 'End a lease',
    fields: { ...leaseFields, sync },
    verbs: { update: (call) => revoke(call, options) },
  }),
  revokeByPrefix(options, 'leases/revoke-prefix/*prefix'),
  revokeByPrefix(options, 'leases/revoke-force/*prefix'),
  route({
    path: 'leases/tidy',
    summary: 'Clean up what ended leases left behind',
    fields: {},
    verbs: {
      update: (call) => {
        options.ports().tokens.tidy()
        call.warn(
          "Tidy operation successfully started. Any information from the operation will be printed to OpenBao's server logs.",
        )
        return data(null, { status: 202 })
      },
    },
  }),
  route({
    path: 'leases/count',
    summary: 'Count leases that cannot be ended: there are none, tokens always can',
    fields: {
      type,
      include_child_namespaces: field.bool({ default: false, description: 'Not used' }),
    },
    verbs: {
      read: (call) => (isIrrevocable(call) ? data({ lease_count: 0, counts: {} }) : undefined),
    },
  }),
  route({
    path: 'leases',
    summary: 'List leases that cannot be ended: there are none, tokens always can; needs sudo',
    fields: { type, limit: field.string({ default: '', description: 'At most so many' }) },
    sudo: true,
    verbs: {
      read: (call) => (isIrrevocable(call) ? data({ lease_count: 0, leases: [] }) : undefined),
    },
  }),
]
