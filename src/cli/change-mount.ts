import type { LiteralObject } from '../client/literal-json.ts'
import type { Call } from './command.ts'
import { asking, mountPath, say, trimPath } from './command.ts'
import { showWritten } from './commands/write.ts'
import { engineOptions, tuneOptions } from './mount-options.ts'

/** Changes the options of a mount that the flags name, and `further` ones; the exit code. `api` is `sys/auth` or `sys/mounts`. */
export const tuneMount = async (
  call: Call,
  noun: string,
  api: string,
  further: LiteralObject = {},
): Promise<number> => {
  const path = mountPath(call.args[0] ?? '')
  const description = call.flags.text('description')
  const options = engineOptions(call)
  const client = await call.client()
  const secret = await asking(`Error tuning ${noun} ${path}`, () =>
    client.post(`${api}/${trimPath(path)}/tune`, {
      ...tuneOptions(call),
      ...further,
      ...(description === undefined ? {} : { description }),
      ...(options === undefined ? {} : { options }),
    }),
  )
  return showWritten(call, secret, `Success! Tuned the ${noun} at: ${path}`)
}

/** Disables a mount; the exit code. `api` is `sys/auth` or `sys/mounts`. */
export const disableMount = async (call: Call, noun: string, api: string): Promise<number> => {
  const path = mountPath(call.args[0] ?? '')
  const client = await call.client()
  await asking(`Error disabling ${noun} at ${path}`, () =>
    client.delete(`${api}/${trimPath(path)}`),
  )
  if (call.format === 'table') {
    say(call.io, `Success! Disabled the ${noun} (if it existed) at: ${path}`)
  }
  return 0
}
