import { join } from 'node:path'
import { ApiError, TransportError } from '../../client/api-error.ts'
import { text } from '../../client/secret.ts'
import type { Call, Command } from '../command.ts'
import { asking, say } from '../command.ts'
import { CommandFailure, localFailure } from '../failure.ts'
import { devFolder, readDevEnvironment } from '../dev-environment.ts'
import { cleanUp, leftOvers } from '../demo/clean-up.ts'
import { BrokenPromise, Stage } from '../demo/stage.ts'
import { playSteps } from '../demo/steps.ts'

// Development servers are in memory, or the one that npm start runs here.
const refuseOthers = async (call: Call, started: boolean): Promise<void> => {
  if (call.flags.boolean('here') || started) return
  const client = await call.client()
  const { address } = client.options
  const status = await asking('Error checking seal status', () => client.read('sys/seal-status'))
  if (text(status?.data?.['storage_type']) === 'inmem') return
  throw localFailure(
    `The server at ${address} is not in development mode. The demo makes and removes things whose names begin with "demo-"; -here runs it there all the same.`,
  )
}

const run = async (call: Call): Promise<number> => {
  try {
    const root = await call.client()
    const { checkout } = call.io
    const started = (await readDevEnvironment(checkout))?.address === root.options.address
    await refuseOthers(call, started)
    const keep = call.flags.boolean('keep')
    say(
      call.io,
      `Signet demo on ${root.options.address}: everything it makes begins with "demo-" and ${keep ? 'is kept' : 'is removed at the end (-keep keeps it)'}.`,
    )
    await cleanUp(root)
    const stage = new Stage(call.io, root, call.flags.boolean('step'))
    try {
      await playSteps(stage, started ? join(devFolder(checkout), 'audit.log') : undefined)
    } finally {
      if (!keep) await cleanUp(root)
    }
    if (keep) {
      say(call.io, 'Kept. The next demo begins by removing it.')
      return 0
    }
    const left = await leftOvers(root)
    if (left.length > 0) throw localFailure(`Not cleaned up: ${left.join(', ')}`)
    say(call.io, 'Cleaned up. Next: signet whoami · docs/concepts.md · docs/compatibility.md')
    return 0
  } catch (error) {
    if (error instanceof BrokenPromise) throw localFailure(`The demo failed: ${error.message}`)
    if (error instanceof ApiError || error instanceof TransportError) {
      throw localFailure(`The demo failed: ${error.message}`)
    }
    if (error instanceof CommandFailure) throw new CommandFailure(1, error.message)
    throw error
  }
}

/** `signet demo`. */
export const demo: Command = {
  usage: '[flags]',
  help: 'One person, two logins, one identity: plays it on a development server and checks every step. Each prints how vault does it.',
  flags: [
    { name: 'keep', kind: 'boolean', help: 'Do not remove what it makes.' },
    { name: 'here', kind: 'boolean', help: 'Run on a server that is not in development mode.' },
    { name: 'step', kind: 'boolean', help: 'Wait for Enter before each step.' },
  ],
  args: { min: 0, max: 0 },
  flagsAnywhere: true,
  run,
}
