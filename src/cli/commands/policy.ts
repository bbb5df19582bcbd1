import { readFile } from 'node:fs/promises'
import { text, texts } from '../../client/secret.ts'
import type { Call, Command } from '../command.ts'
import { asking, say } from '../command.ts'
import { localFailure, remoteFailure } from '../failure.ts'
import { printValue } from '../print-secret.ts'
import { showWritten } from './write.ts'

const nameOf = (call: Call): string => (call.args[0] ?? '').trim().toLowerCase()

const policyPath = (name: string): string => `sys/policies/acl/${name}`

/** `signet policy write`. */
export const policyWrite: Command = {
  usage: '[flags] NAME FILE',
  help: 'Writes a policy from a file, or from standard input when FILE is -.',
  flags: [],
  args: { min: 2, max: 2 },
  run: async (call) => {
    const name = nameOf(call)
    const policy = await policyText(call)
    if (policy.trim() === '') throw localFailure('The policy is empty')
    const client = await call.client()
    const secret = await asking('Error uploading policy', () =>
      client.write(policyPath(name), { policy }),
    )
    return showWritten(call, secret, `Success! Uploaded policy: ${name}`)
  },
}

const policyText = async (call: Call): Promise<string> => {
  const file = call.args[1] ?? ''
  if (file === '-') return await call.io.readStdin()
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw localFailure(`Error opening policy file: ${why}`)
  }
}

/** `signet policy read`. */
export const policyRead: Command = {
  usage: '[flags] NAME',
  help: 'Shows the text of a policy.',
  flags: [],
  args: { min: 1, max: 1 },
  run: async (call) => {
    const name = nameOf(call)
    const client = await call.client()
    const secret = await asking(`Error reading policy named ${name}`, () =>
      client.read(policyPath(name)),
    )
    if (secret?.data === undefined) throw remoteFailure(`No policy named: ${name}`)
    const policy = text(secret.data['policy'] ?? secret.data['rules'])
    if (call.format === 'table') say(call.io, policy.trim())
    else printValue(call, { policy })
    return 0
  },
}

/** `signet policy list`. */
export const policyList: Command = {
  usage: '[flags]',
  help: 'Lists the names of the policies.',
  flags: [],
  args: { min: 0, max: 0 },
  run: async (call) => {
    const client = await call.client()
    const secret = await asking('Error listing policies', () => client.list('sys/policies/acl'))
    const names = texts(secret?.data?.['keys'])
    if (call.format === 'table') for (const name of names) say(call.io, name)
    else printValue(call, names)
    return 0
  },
}

/** `signet policy delete`. */
export const policyDelete: Command = {
  usage: '[flags] NAME',
  help: 'Deletes a policy; what holds it keeps its name and loses what it allowed.',
  flags: [],
  args: { min: 1, max: 1 },
  run: async (call) => {
    const name = nameOf(call)
    const client = await call.client()
    const secret = await asking(`Error deleting ${name}`, () => client.delete(policyPath(name)))
    return showWritten(call, secret, `Success! Deleted policy: ${name}`)
  },
}
