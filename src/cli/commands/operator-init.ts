import type { LiteralObject } from '../../client/literal-json.ts'
import { count, secretFrom, text, texts } from '../../client/secret.ts'
import type { Call, Command } from '../command.ts'
import { asking, say } from '../command.ts'
import { CommandFailure } from '../failure.ts'
import type { Flag } from '../flags.ts'
import { fieldOf, Members, printField, printValue } from '../print-secret.ts'
import { wrapText } from '../wrap-text.ts'

const DEFAULT_SHARES = 5
const DEFAULT_THRESHOLD = 3

const flags: readonly Flag[] = [
  {
    name: 'status',
    kind: 'boolean',
    help: 'Only say whether it is initialised (exit code 0, else 2).',
  },
  {
    name: 'key-shares',
    alias: 'n',
    kind: 'integer',
    help: 'Into how many unseal keys the key is split; 5.',
  },
  { name: 'key-threshold', alias: 't', kind: 'integer', help: 'How many of them unseal; 3.' },
  { name: 'pgp-keys', kind: 'list', help: 'Encrypt each unseal key for one of these.' },
  { name: 'root-token-pgp-key', kind: 'text', help: 'Encrypt the root token for this key.' },
  { name: 'recovery-shares', kind: 'integer', help: 'Recovery keys, where another seal unseals.' },
  { name: 'recovery-threshold', kind: 'integer', help: 'How many recovery keys are needed.' },
  { name: 'recovery-pgp-keys', kind: 'list', help: 'Encrypt each recovery key for one of these.' },
]

const showStatus = async (call: Call): Promise<number> => {
  const client = await call.client()
  try {
    const answer = await asking('Error checking initialization status', () =>
      client.read('sys/init'),
    )
    const initialised = answer?.data?.['initialized'] === true
    if (call.format === 'table') say(call.io, `Vault is ${initialised ? '' : 'not '}initialized`)
    else printValue(call, { initialized: initialised })
    return initialised ? 0 : 2
  } catch (error) {
    if (error instanceof CommandFailure) throw new CommandFailure(1, error.message)
    throw error
  }
}

const body = (call: Call): LiteralObject => {
  const given = call.flags
  const list = (name: string): string[] => given.list(name).flatMap((each) => each.split(','))
  const rootKey = given.text('root-token-pgp-key')
  const recoveryShares = given.integer('recovery-shares')
  const recoveryThreshold = given.integer('recovery-threshold')
  return {
    secret_shares: given.integer('key-shares') ?? DEFAULT_SHARES,
    secret_threshold: given.integer('key-threshold') ?? DEFAULT_THRESHOLD,
    ...(given.given('pgp-keys') ? { pgp_keys: list('pgp-keys') } : {}),
    ...(rootKey === undefined ? {} : { root_token_pgp_key: rootKey }),
    ...(recoveryShares === undefined ? {} : { recovery_shares: recoveryShares }),
    ...(recoveryThreshold === undefined ? {} : { recovery_threshold: recoveryThreshold }),
    ...(given.given('recovery-pgp-keys') ? { recovery_pgp_keys: list('recovery-pgp-keys') } : {}),
  }
}

const showKeys = (call: Call, answer: LiteralObject, asked: LiteralObject): number => {
  const keys = texts(answer['keys_base64'])
  const recovery = texts(answer['recovery_keys_base64'])
  const auto = keys.length === 0
  const members = new Members([
    ['unseal_keys_b64', keys],
    ['unseal_keys_hex', texts(answer['keys'])],
    ['unseal_shares', auto ? 1 : count(asked['secret_shares'])],
    ['unseal_threshold', auto ? 1 : count(asked['secret_threshold'])],
    ['recovery_keys_b64', recovery],
    ['recovery_keys_hex', texts(answer['recovery_keys'])],
    ['recovery_keys_shares', recovery.length],
    ['recovery_keys_threshold', auto ? count(asked['recovery_threshold']) : 0],
    ['root_token', text(answer['root_token'])],
  ])
  const field = call.flags.text('field') ?? ''
  if (field !== '') {
    return printField(call, fieldOf(secretFrom({ data: members.plain() }), field), field)
  }
  if (call.format !== 'table') {
    printValue(call, members)
    return 0
  }
  const lines = [
    ...keys.map((key, at) => `Unseal Key ${at + 1}: ${key}`),
    ...recovery.map((key, at) => `Recovery Key ${at + 1}: ${key}`),
    '',
    `Initial Root Token: ${text(answer['root_token'])}`,
    '',
    auto
      ? 'Success! Vault is initialized'
      : sharesAdvice(keys.length, count(asked['secret_threshold'])),
  ]
  say(call.io, lines.join('\n'))
  return 0
}

const sharesAdvice = (shares: number, threshold: number): string =>
  wrapText(
    `The key is split into ${shares} unseal key${shares === 1 ? '' : 's'}, and ${threshold} of them unseal the server after every start. ` +
      'Hand them to different people: they are shown only now and are kept nowhere else.\n\n' +
      'Without that many keys the data is lost for ever. ' +
      'New keys for other holders come from "operator rotate-keys".',
  )

/** `signet operator init`. */
export const operatorInit: Command = {
  usage: '[flags]',
  help: 'Initialises a server: makes its root key, splits the unseal key, and shows the unseal keys and the first root token once.',
  flags,
  args: { min: 0, max: 0 },
  run: async (call) => {
    if (call.flags.boolean('status')) return await showStatus(call)
    const asked = body(call)
    const client = await call.client()
    const answer = await asking('Error initializing', () => client.write('sys/init', asked))
    return showKeys(call, answer?.data ?? {}, asked)
  },
}
