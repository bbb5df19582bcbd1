import type { LiteralObject } from '../../client/literal-json.ts'
import type { Secret } from '../../client/secret.ts'
import { secretFrom, text } from '../../client/secret.ts'
import type { ApiClient } from '../../client/api-client.ts'
import type { Call, Command } from '../command.ts'
import { asking, say, trimPath, warn } from '../command.ts'
import { targetOf } from '../connect.ts'
import { parseData } from '../data-arguments.ts'
import { environment } from '../environment.ts'
import { localFailure, remoteFailure } from '../failure.ts'
import { fieldOf, printField, printSecret } from '../print-secret.ts'
import { wrapText } from '../wrap-text.ts'

/** Logs in with a client that has no token yet. `data` are the command's K=V, `mount` the method's path. */
type Method = (
  call: Call,
  client: ApiClient,
  data: LiteralObject,
  mount: string,
) => Promise<Secret | undefined>

const failed = 'Error authenticating'

const hidden = async (call: Call, label: string, advice: string): Promise<string> => {
  const typed = await call.io.promptHidden(`${label} (will be hidden): `)
  if (typed === undefined) throw localFailure(`${failed}: there is no terminal to ask; ${advice}`)
  return typed
}

const byToken: Method = async (call, client, data) => {
  const given = text(data['token']).trim()
  const token =
    given === '' ? (await hidden(call, 'Token', 'give the token as an argument')).trim() : given
  if (text(data['lookup']) === 'false') {
    return secretFrom({ auth: { client_token: token } })
  }
  const lookup = await asking(`${failed}: error looking up token`, () =>
    client.without('wrapTtl').with({ token }).read('auth/token/lookup-self'),
  )
  const found = lookup?.data ?? {}
  return secretFrom({
    auth: {
      client_token: token,
      accessor: found['accessor'] ?? '',
      lease_duration: found['ttl'] ?? 0,
      renewable: found['renewable'] ?? false,
      token_policies: found['policies'] ?? [],
      identity_policies: found['identity_policies'] ?? [],
      policies: [...list(found['policies']), ...list(found['identity_policies'])],
      metadata: found['meta'] ?? {},
      entity_id: found['entity_id'] ?? '',
    },
  })
}

const list = (value: LiteralObject[string] | undefined): readonly string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []

/** Methods where a user has a password. */
const byPassword: Method = async (call, client, data, mount) => {
  const { username, password, ...more } = data
  if (text(username) === '') throw localFailure(`${failed}: 'username' must be specified`)
  const secretWord =
    password === undefined
      ? await hidden(call, 'Password', 'give password=… or password=- for standard input')
      : text(password)
  return await asking(failed, () =>
    client.post(`auth/${mount}/login/${text(username)}`, { ...more, password: secretWord }),
  )
}

/** Methods whose login takes the data as it is; a final newline of a file is no part of a token. */
const byData: Method = async (_call, client, data, mount) => {
  const body = Object.fromEntries(
    Object.entries(data).map(([key, value]) => [
      key,
      typeof value === 'string' ? value.trim() : value,
    ]),
  )
  return await asking(failed, () => client.post(`auth/${mount}/login`, body))
}

const methods: ReadonlyMap<string, Method> = new Map([
  ['approle', byData],
  ['cert', byData],
  ['jwt', byData],
  ['kubernetes', byData],
  ['ldap', byPassword],
  ['radius', byPassword],
  ['token', byToken],
  ['userpass', byPassword],
])

const dataOf = async (call: Call, name: string): Promise<LiteralObject> => {
  const [first] = call.args
  if (name !== 'token' || first === undefined || first.includes('=')) {
    return await parseData(call.args, call.io)
  }
  const rest = await parseData(call.args.slice(1), call.io)
  return { ...rest, token: first === '-' ? await call.io.readStdin() : first }
}

const run = async (call: Call): Promise<number> => {
  const name = call.flags.text('method') ?? 'token'
  const method = methods.get(name)
  if (method === undefined) {
    throw localFailure(
      `Unknown auth method: ${name}. Use "signet auth list" to see what is enabled, ` +
        `and -method with one of ${[...methods.keys()].join(', ')}.`,
    )
  }
  const tokenOnly = call.flags.boolean('token-only')
  const keep = !tokenOnly && !call.flags.boolean('no-store')
  const mount = trimPath(call.flags.text('path') ?? name)
  const data = await dataOf(call, name)
  // The token in use has no part in it.
  const client = (await call.client()).with({ token: '' })
  let secret = await method(call, client, data, mount)
  if (secret?.wrapInfo !== undefined && keep) {
    const wrapping = client.without('wrapTtl').with({ token: secret.wrapInfo.token })
    secret = await asking(`${failed}: error unwrapping`, () =>
      wrapping.write('sys/wrapping/unwrap'),
    )
  }
  if (secret === undefined) throw remoteFailure(`${failed}: the answer was empty`)
  return await finish(call, secret, keep, tokenOnly)
}

const finish = async (
  call: Call,
  secret: Secret,
  keep: boolean,
  tokenOnly: boolean,
): Promise<number> => {
  const { auth } = secret
  if (auth?.mfaRequirement !== undefined) {
    printSecret(call, secret)
    if (call.format === 'table') {
      warn(
        call.io,
        '\nA second factor is asked for: signet write sys/mfa/validate with this request id ends the login.',
      )
    }
    return 0
  }
  if (auth !== undefined && keep) {
    const { helper } = await targetOf(call.flags, call.io)
    await helper.store(auth.clientToken)
  }
  const field = tokenOnly ? 'token' : (call.flags.text('field') ?? '')
  if (field !== '') return printField(call, fieldOf(secret, field), field)
  if (call.flags.boolean('no-print')) return 0
  if (call.format === 'table' && auth !== undefined) say(call.io, `${outcome(call, keep)}\n`)
  return printSecret(call, secret)
}

// One true thing (product.md 1.1, 29).
const outcome = (call: Call, keep: boolean): string => {
  const authenticated = 'Success! You are now authenticated.'
  if (!keep) return wrapText(`${authenticated} The token was not stored in the token helper.`)
  const set = environment(call.io.env, 'TOKEN') ?? ''
  if (set === '') {
    return wrapText(
      `${authenticated} The token information displayed below is already stored in the token helper. ` +
        'Commands use this token from now on.',
    )
  }
  return wrapText(
    `${authenticated} The token information displayed below is already stored in the token helper. ` +
      'But a token is set in the environment (VAULT_TOKEN, BAO_TOKEN or SIGNET_TOKEN), and commands use that one until you unset it.',
  )
}

/** `signet login`. */
export const login: Command = {
  usage: '[flags] [TOKEN | K=V...]',
  help:
    'Logs in and keeps the token in the token helper. The method token takes a token (asked for when not given); ' +
    'userpass takes username= and password= (asked for when not given); jwt takes role= and jwt=; approle takes role_id= and secret_id=.',
  flags: [
    { name: 'method', kind: 'text', help: 'token (the default), userpass, jwt, approle …' },
    { name: 'path', kind: 'text', help: 'Where the method is mounted; its name when not given.' },
    { name: 'no-store', kind: 'boolean', help: 'Do not keep the token.' },
    { name: 'no-print', kind: 'boolean', help: 'Do not show the token.' },
    { name: 'token-only', kind: 'boolean', help: 'Show only the token and do not keep it.' },
  ],
  args: { min: 0 },
  run,
}
