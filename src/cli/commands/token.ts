import type { Secret } from '../../client/secret.ts'
import type { Call, Command } from '../command.ts'
import { asking, say } from '../command.ts'
import { localFailure, remoteFailure } from '../failure.ts'
import type { Flag } from '../flags.ts'
import { printSecret } from '../print-secret.ts'

const accessor: Flag = {
  name: 'accessor',
  kind: 'boolean',
  help: 'The argument is an accessor, not a token.',
}

const show = (call: Call, secret: Secret | undefined): number => {
  if (secret === undefined) throw remoteFailure('Token not found')
  return printSecret(call, secret)
}

/** `signet token lookup`. */
export const tokenLookup: Command = {
  usage: '[flags] [TOKEN | ACCESSOR]',
  help: 'Shows a token; the one in use when none is given.',
  flags: [accessor],
  args: { min: 0, max: 1 },
  run: async (call) => {
    const [token] = call.args
    const byAccessor = call.flags.boolean('accessor')
    if (byAccessor && token === undefined) {
      throw localFailure('Not enough arguments with -accessor (expected 1, got 0)')
    }
    const client = await call.client()
    const secret = await asking('Error looking up token', () =>
      token === undefined
        ? client.read('auth/token/lookup-self')
        : byAccessor
          ? client.post('auth/token/lookup-accessor', { accessor: token })
          : client.post('auth/token/lookup', { token }),
    )
    return show(call, secret)
  },
}

/** `signet token renew`. */
export const tokenRenew: Command = {
  usage: '[flags] [TOKEN | ACCESSOR]',
  help: 'Renews a token; the one in use when none is given.',
  flags: [
    accessor,
    { name: 'increment', alias: 'i', kind: 'duration', help: 'How long it should live from now.' },
  ],
  args: { min: 0, max: 1 },
  run: async (call) => {
    const [token] = call.args
    const byAccessor = call.flags.boolean('accessor')
    if (byAccessor && token === undefined) {
      throw localFailure('Not enough arguments with -accessor (expected 1, got 0)')
    }
    const increment = call.flags.text('increment')
    const body = increment === undefined ? {} : { increment }
    const client = await call.client()
    const secret = await asking('Error renewing token', () =>
      token === undefined
        ? client.write('auth/token/renew-self', body)
        : byAccessor
          ? client.write('auth/token/renew-accessor', { accessor: token, ...body })
          : client.write('auth/token/renew', { token, ...body }),
    )
    return show(call, secret)
  },
}

/** `signet token revoke`. */
export const tokenRevoke: Command = {
  usage: '[flags] [TOKEN | ACCESSOR]',
  help: 'Revokes a token and what it made: leases and tokens below it. -mode=orphan spares the tokens; -mode=path revokes all that begin with the argument.',
  flags: [
    accessor,
    { name: 'self', kind: 'boolean', help: 'Revoke the token in use.' },
    { name: 'mode', kind: 'text', help: 'orphan or path.' },
  ],
  args: { min: 0, max: 1 },
  run: async (call) => {
    const [token] = call.args
    const request = revocation(call, token)
    const client = await call.client()
    await asking('Error revoking token', () => client.write(request.path, request.body))
    if (call.format === 'table') say(call.io, 'Success! Revoked token (if it existed)')
    return 0
  },
}

type Revocation = { readonly path: string; readonly body: Readonly<Record<string, string>> }

const revocation = (call: Call, token: string | undefined): Revocation => {
  const mode = call.flags.text('mode') ?? ''
  const byAccessor = call.flags.boolean('accessor')
  if (call.flags.boolean('self')) {
    if (token !== undefined) throw localFailure('Too many arguments with -self (expected 0, got 1)')
    if (mode !== '' || byAccessor) throw localFailure('Cannot use -accessor or -mode with -self')
    return { path: 'auth/token/revoke-self', body: {} }
  }
  if (token === undefined) throw localFailure('Not enough arguments (expected 1 or -self, got 0)')
  if (byAccessor && mode !== '') throw localFailure('Cannot use -accessor with -mode')
  if (byAccessor) return { path: 'auth/token/revoke-accessor', body: { accessor: token } }
  switch (mode) {
    case '':
      return { path: 'auth/token/revoke', body: { token } }
    case 'orphan':
      return { path: 'auth/token/revoke-orphan', body: { token } }
    case 'path':
      return { path: `sys/revoke-prefix/${token}`, body: {} }
    default:
      throw localFailure(`Invalid mode: ${mode}`)
  }
}
