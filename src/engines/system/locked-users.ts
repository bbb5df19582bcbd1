import type { Call } from '../../engine/call.ts'
import { field } from '../../engine/field.ts'
import type { MountRecord } from '../../engine/ports/mounts.ts'
import { invalid } from '../../engine/refusal.ts'
import type { DataResult } from '../../engine/result.ts'
import { data } from '../../engine/result.ts'
import { route } from '../../engine/route.ts'
import { limits } from '../../limits.ts'
import { compareBytes } from '../../std/json.ts'
import type { SystemOptions } from './options.ts'

const mountAccessor = field.string({ default: '', description: 'Accessor of an auth method' })

const lockedOf = async (
  call: Call<unknown>,
  record: MountRecord,
  { ports, lockouts }: SystemOptions,
): Promise<readonly string[]> => {
  const mount = ports().mounts.view(record)
  const { namespace, names, records, now } = call
  const aliases: string[] = []
  for await (const page of lockouts.locked({ namespace, names, records, now, mount })) {
    aliases.push(...page)
    if (aliases.length > limits.sortedNames) {
      throw invalid(`more than ${limits.sortedNames} users are locked out of ${record.path}`)
    }
  }
  return aliases.sort(compareBytes)
}

const list = async (
  call: Call<{ readonly mount_accessor: string }>,
  options: SystemOptions,
): Promise<DataResult> => {
  const { mounts } = options.ports()
  const { mount_accessor: wanted } = call.input
  const told: unknown[] = []
  let total = 0
  const tell = (accessor: string, aliases: readonly string[] | null): void => {
    const counts = aliases?.length ?? 0
    total += counts
    told.push({ mount_accessor: accessor, counts, alias_identifiers: aliases })
  }
  for (const record of await mounts.all(call.namespace)) {
    if (!mounts.hasLockout(record.type) || (wanted !== '' && record.accessor !== wanted)) continue
    const aliases = await lockedOf(call, record, options)
    if (aliases.length > 0) tell(record.accessor, aliases)
  }
  if (wanted !== '' && told.length === 0) tell(wanted, null)
  const { id, path } = call.namespace
  return data({
    by_namespace: [
      { namespace_id: id, namespace_path: path, counts: total, mount_accessors: told },
    ],
    total,
  })
}

/** `sys/locked-users`: who is locked out after failed logins, and letting them in again. */
export const lockedUserRoutes = (options: SystemOptions) => [
  route({
    path: 'locked-users',
    summary: 'List the users locked out after failed logins',
    fields: { mount_accessor: mountAccessor },
    verbs: { read: (call) => list(call, options) },
  }),
  route({
    path: 'locked-users/:mount_accessor/unlock/+alias_identifier',
    summary: 'Let a locked-out user log in again',
    fields: {
      mount_accessor: mountAccessor,
      alias_identifier: field.string({ default: '', description: 'Name of the alias' }),
    },
    verbs: {
      update: async (call) => {
        const { mounts } = options.ports()
        const { mount_accessor: accessor, alias_identifier: alias } = call.input
        const record = await mounts.byAccessor(call.namespace, accessor)
        if (record === undefined) return undefined
        const { namespace, names, records } = call
        const place = { namespace, names, records, mount: mounts.view(record) }
        await options.lockouts.unlock(place, alias)
        return undefined
      },
    },
  }),
]
