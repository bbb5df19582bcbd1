import type { Call, Command } from '../command.ts'
import { asking, trimPath } from '../command.ts'
import { parseData, queryOf } from '../data-arguments.ts'
import { emptyHint } from '../empty-answer.ts'
import { remoteFailure } from '../failure.ts'
import { printSecret } from '../print-secret.ts'

const run = async (call: Call): Promise<number> => {
  const path = trimPath(call.args[0] ?? '')
  const query = queryOf(await parseData(call.args.slice(1), call.io))
  const client = await call.client()
  const failed = `Error reading ${path}`
  if (call.format === 'raw') {
    const answer = await asking(failed, () => client.bytes({ method: 'GET', path, query }))
    if (answer.status === 404) throw remoteFailure(`No value found at ${path}`)
    call.io.stdout.write(answer.body.toString('utf8'))
    return 0
  }
  const secret = await asking(failed, () => client.read(path, query))
  if (secret === undefined) throw remoteFailure(`No value found at ${path}${emptyHint(path)}`)
  return printSecret(call, secret)
}

/** `signet read`. */
export const read: Command = {
  usage: '[flags] PATH [K=V...]',
  help: 'Reads what is at a path of the API. K=V are parameters of the request.',
  flags: [],
  args: { min: 1 },
  raw: true,
  run,
}
