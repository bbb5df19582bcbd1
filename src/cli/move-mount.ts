import { setTimeout as pause } from 'node:timers/promises'
import { text } from '../client/secret.ts'
import type { Call } from './command.ts'
import { asking, mountPath, say } from './command.ts'
import { remoteFailure } from './failure.ts'
import { objectOf } from './mount-options.ts'

const POLL_MILLISECONDS = 250

/** Moves a mount and waits until it is done; the exit code. `prefix` is `auth/` for auth methods. */
export const moveMount = async (call: Call, noun: string, prefix: string): Promise<number> => {
  const [source = '', destination = ''] = call.args.map((each) => mountPath(each))
  const table = call.format === 'table'
  const client = await call.client()
  const failed = `Error moving ${noun} ${source} to ${destination}`
  const started = await asking(failed, () =>
    client.post('sys/remount', { from: prefix + source, to: prefix + destination }),
  )
  const id = text(started?.data?.['migration_id'])
  if (table) {
    say(call.io, `Started moving ${noun} ${source} to ${destination}, with migration ID ${id}`)
  }
  for (;;) {
    const answer = await asking('Error checking migration status', () =>
      client.read(`sys/remount/status/${id}`),
    )
    const status = text(objectOf(answer?.data?.['migration_info'])['status'])
    if (status === 'success') break
    if (status !== 'in-progress') {
      throw remoteFailure(`${failed}: the move ended as ${status === '' ? 'unknown' : status}`)
    }
    await pause(POLL_MILLISECONDS)
  }
  if (table)
    say(
      call.io,
      `Success! Finished moving ${noun} ${source} to ${destination}, with migration ID ${id}`,
    )
  return 0
}
