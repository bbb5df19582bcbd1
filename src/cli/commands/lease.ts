import type { Command } from '../command.ts'
import { asking, say } from '../command.ts'
import { localFailure, remoteFailure } from '../failure.ts'
import { printSecret } from '../print-secret.ts'

/** `signet lease lookup`. */
export const leaseLookup: Command = {
  usage: '[flags] ID',
  help: 'Shows a lease: when it was issued, when it ends, whether it can be renewed.',
  flags: [],
  args: { min: 1, max: 1 },
  run: async (call) => {
    const lease = call.args[0] ?? ''
    const client = await call.client()
    const secret = await asking(`error looking up lease id ${lease}`, () =>
      client.write('sys/leases/lookup', { lease_id: lease }),
    )
    if (secret === undefined) throw remoteFailure(`No lease: ${lease}`)
    return printSecret(call, secret)
  },
}

/** `signet lease renew`. */
export const leaseRenew: Command = {
  usage: '[flags] ID',
  help: 'Renews a lease; the server may give less than the increment asks for.',
  flags: [{ name: 'increment', kind: 'duration', help: 'How long it should hold from now on.' }],
  args: { min: 1, max: 1 },
  run: async (call) => {
    const lease = call.args[0] ?? ''
    const increment = call.flags.text('increment')
    const client = await call.client()
    const secret = await asking(`Error renewing ${lease}`, () =>
      client.write('sys/leases/renew', {
        lease_id: lease,
        ...(increment === undefined ? {} : { increment }),
      }),
    )
    if (secret === undefined) throw remoteFailure(`No lease: ${lease}`)
    return printSecret(call, secret)
  },
}

/** `signet lease revoke`. */
export const leaseRevoke: Command = {
  usage: '[flags] ID',
  help: 'Revokes a lease, or with -prefix all leases that begin with ID.',
  flags: [
    { name: 'prefix', kind: 'boolean', help: 'ID is the beginning of the leases to revoke.' },
    { name: 'force', alias: 'f', kind: 'boolean', help: 'Forget leases that cannot be revoked.' },
    { name: 'sync', kind: 'boolean', help: 'Wait until it is done.' },
  ],
  args: { min: 1, max: 1 },
  run: async (call) => {
    const lease = call.args[0] ?? ''
    const prefix = call.flags.boolean('prefix')
    const force = call.flags.boolean('force')
    const sync = call.flags.boolean('sync')
    if (force && !prefix) {
      throw localFailure('Specifying -force requires also specifying -prefix')
    }
    const path = force
      ? `sys/leases/revoke-force/${lease}`
      : prefix
        ? `sys/leases/revoke-prefix/${lease}`
        : 'sys/leases/revoke'
    const failed = force
      ? `Error force revoking leases with prefix ${lease}`
      : prefix
        ? `Error revoking leases with prefix ${lease}`
        : `Error revoking lease ${lease}`
    const body = { ...(prefix ? {} : { lease_id: lease }), ...(force ? {} : { sync }) }
    const client = await call.client()
    await asking(failed, () => client.write(path, body))
    if (call.format !== 'table') return 0
    const done = force
      ? `Success! Force revoked any leases with prefix: ${lease}`
      : prefix
        ? `Success! Revoked any leases with prefix: ${lease}`
        : `Success! Revoked lease: ${lease}`
    say(call.io, force || sync ? done : 'All revocation operations queued successfully!')
    return 0
  },
}
