import type { ApiClient } from '../client/api-client.ts'
import { ApiError } from '../client/api-error.ts'
import type { LiteralObject, LiteralValue } from '../client/literal-json.ts'
import { isObject } from '../client/literal-json.ts'
import { text, texts } from '../client/secret.ts'
import type { Call } from './command.ts'
import { asking } from './command.ts'
import { environment } from './environment.ts'
import { localFailure } from './failure.ts'
import { ProgressBar } from './progress-bar.ts'

/** A mount of the server that is read. */
export interface SourceMount {
  /** `auth/userpass/` or `secret/` */
  readonly path: string
  readonly type: string
  readonly description: string
  readonly options: LiteralValue
  readonly config: LiteralObject
}

/** What was read of another server. */
export interface Taken {
  /** Identity, as lines of an import. */
  readonly lines: readonly string[]
  readonly mounts: readonly SourceMount[]
  readonly policies: readonly { readonly name: string; readonly policy: string }[]
  /** What was not, a sentence each. */
  readonly notTaken: readonly string[]
}

/** Mounts that every server has of its own. */
const BUILT_IN = new Set(['token', 'system', 'identity', 'cubbyhole'])
/** Read at once: enough to hide the way, little for the server that others use. */
const AT_ONCE = 8

/** What has names below an auth mount of a type: where to list them, and what they are. */
const NAMED: Readonly<Record<string, readonly (readonly [path: string, what: string])[]>> = {
  approle: [['role', 'roles (their secret ids are not read)']],
  cert: [['certs', 'certificates']],
  jwt: [['role', 'roles']],
  kubernetes: [['role', 'roles']],
  ldap: [
    ['users', 'users'],
    ['groups', 'groups'],
  ],
  oidc: [['role', 'roles']],
  token: [['roles', 'token roles']],
  userpass: [['users', 'users (their passwords are not read)']],
}

const IDENTITY_NAMES: readonly (readonly [path: string, what: string])[] = [
  ['identity/oidc/key', 'OIDC keys'],
  ['identity/oidc/role', 'OIDC roles'],
  ['identity/oidc/client', 'OIDC clients'],
  ['identity/oidc/provider', 'OIDC providers'],
  ['identity/oidc/assignment', 'OIDC assignments'],
  ['identity/oidc/scope', 'OIDC scopes'],
  ['identity/mfa/method', 'MFA methods'],
  ['identity/mfa/login-enforcement', 'MFA login enforcements'],
]

/**
 * Reads identity, mounts, policies and the names of roles and users of a running Vault or OpenBao over its API, no secrets and no
 * passwords. Throws a failure for a server that cannot be asked; what its token may not read is told in `notTaken`.
 */
export const readVault = async (call: Call, target: ApiClient, address: string): Promise<Taken> => {
  const token =
    environment(call.io.env, 'SOURCE_TOKEN') ??
    (await call.io.promptHidden(`Token for ${address} (will be hidden): `))
  if (token === undefined || token === '') {
    throw localFailure(`Set SIGNET_SOURCE_TOKEN to a token of ${address}`)
  }
  const namespace = call.flags.text('from-namespace') ?? ''
  const client = target
    .without('namespace')
    .with({ address, token, ...(namespace === '' ? {} : { namespace }) })
  const bar = new ProgressBar(call.io.stderr)
  try {
    return await new Reading(client, bar).all()
  } finally {
    bar.clear()
  }
}

class Reading {
  readonly #client: ApiClient
  readonly #bar: ProgressBar
  readonly #notTaken: string[] = []
  #read = 0

  constructor(client: ApiClient, bar: ProgressBar) {
    this.#client = client
    this.#bar = bar
  }

  async all(): Promise<Taken> {
    // The first question tells whether the server and its token are good at all.
    const auth = await asking('Error reading the other server', () => this.#client.read('sys/auth'))
    const secrets = (await this.#readable('sys/mounts'))?.data ?? {}
    const mounts = [
      ...mountsOf(auth?.data ?? {}, 'auth/'),
      ...mountsOf(secrets, '').map((mount) => {
        const what = `the secrets below ${mount.path} (${mount.type})`
        this.#notTaken.push(`Not taken: ${what}: only that it is mounted`)
        return mount
      }),
    ]
    for (const mount of [...mounts, { path: 'auth/token/', type: 'token' }]) {
      if (!mount.path.startsWith('auth/')) continue
      for (const [below, what] of NAMED[mount.type] ?? []) {
        await this.#names(`${mount.path}${below}`, `${what} of ${mount.path}`)
      }
    }
    for (const [path, what] of IDENTITY_NAMES) await this.#names(path, what)
    const policies = await this.#policies()
    const groups = await this.#each('identity/group/id')
    const entities = await this.#each('identity/entity/id')
    const lines = [
      ...groups.map(groupLine),
      ...entities.map(entityLine),
      ...entities.flatMap(aliasLines),
      ...groups.flatMap(groupAliasLines),
      ...groups.flatMap(membershipLines),
    ].map((line) => JSON.stringify(line))
    return { lines, mounts, policies, notTaken: this.#notTaken }
  }

  async #readable(path: string, list = false) {
    try {
      return list ? await this.#client.list(path) : await this.#client.read(path)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      // An older or newer server may lack the path.
      if (error.status === 403) this.#notTaken.push(`Not taken: the token may not read ${path}`)
      return undefined
    }
  }

  async #names(path: string, what: string): Promise<void> {
    const keys = texts((await this.#readable(path, true))?.data?.['keys'])
    const own = keys.filter((key) => key !== 'default' && key !== 'allow_all')
    if (own.length > 0) {
      this.#notTaken.push(`Not taken: ${what}: ${own.join(', ')}: set them up again`)
    }
  }

  async #policies(): Promise<Taken['policies']> {
    const keys = texts((await this.#readable('sys/policies/acl', true))?.data?.['keys'])
    const names = keys.filter((name) => name !== 'root')
    const found = await this.#many(names, async (name) => {
      const answer = await this.#readable(`sys/policies/acl/${name}`)
      return { name, policy: text(answer?.data?.['policy']) }
    })
    return found.filter(({ policy }) => policy !== '')
  }

  async #each(path: string): Promise<LiteralObject[]> {
    const keys = texts((await this.#readable(path, true))?.data?.['keys'])
    const found = await this.#many(
      keys,
      async (id) => (await this.#readable(`${path}/${id}`))?.data,
    )
    return found.filter((one) => one !== undefined)
  }

  async #many<T>(names: readonly string[], read: (name: string) => Promise<T>): Promise<T[]> {
    const results: T[] = []
    for (let at = 0; at < names.length; at += AT_ONCE) {
      results.push(...(await Promise.all(names.slice(at, at + AT_ONCE).map(read))))
      this.#read += Math.min(AT_ONCE, names.length - at)
      this.#bar.show(0, undefined, `${this.#read} read`)
    }
    return results
  }
}

/** The value, if it is an object. */
export const objectOf = (value: LiteralValue | undefined): LiteralObject | undefined =>
  isObject(value) ? value : undefined

const mountsOf = (data: LiteralObject, prefix: string): SourceMount[] =>
  Object.entries(data).flatMap(([path, value]) => {
    const mount = objectOf(value)
    if (!path.endsWith('/') || mount === undefined) return []
    const type = text(mount['type'])
    if (BUILT_IN.has(type) || type.startsWith('ns_')) return []
    return [
      {
        path: `${prefix}${path}`,
        type,
        description: text(mount['description']),
        options: mount['options'] ?? null,
        config: objectOf(mount['config']) ?? {},
      },
    ]
  })

type Shown = Record<string, LiteralValue>

/** Of what an answer has, the named members that say something. */
const pick = (of: LiteralObject, ...names: readonly string[]): Shown => {
  const picked: Shown = {}
  for (const name of names) {
    const value = of[name]
    if (value !== undefined && value !== null && value !== '') picked[name] = value
  }
  return picked
}

const objects = (value: LiteralValue | undefined): LiteralObject[] =>
  Array.isArray(value) ? value.filter(isObject) : []

const TIMES = ['creation_time', 'last_update_time'] as const

const groupLine = (group: LiteralObject): Shown => ({
  type: 'group',
  ...pick(group, 'id', 'name', 'policies', 'metadata', ...TIMES),
  group_type: text(group['type']) || 'internal',
})

const entityLine = (entity: LiteralObject): Shown => ({
  type: 'entity',
  ...pick(entity, 'id', 'name', 'policies', 'metadata', 'disabled', 'merged_entity_ids', ...TIMES),
})

const ALIAS = ['id', 'name', 'mount_path', 'mount_type', 'mount_accessor', ...TIMES] as const

const aliasLines = (entity: LiteralObject): Shown[] =>
  objects(entity['aliases']).map((alias) => ({
    type: 'entity-alias',
    ...pick(alias, ...ALIAS, 'metadata', 'custom_metadata', 'merged_from_canonical_ids'),
    canonical_id: text(entity['id']),
    entity_name: text(entity['name']),
  }))

const groupAliasLines = (group: LiteralObject): Shown[] => {
  const alias = objectOf(group['alias'])
  if (alias === undefined || text(alias['id']) === '') return []
  return [
    {
      type: 'group-alias',
      ...pick(alias, ...ALIAS),
      canonical_id: text(group['id']),
      group_name: text(group['name']),
    },
  ]
}

const membershipLines = (group: LiteralObject): Shown[] => {
  const of = { type: 'membership', group_id: text(group['id']), group_name: text(group['name']) }
  const times = new Map<string, number>()
  for (const id of texts(group['member_entity_ids'])) times.set(id, (times.get(id) ?? 0) + 1)
  return [
    ...texts(group['member_group_ids']).map((id) => ({ ...of, member_group_id: id })),
    ...[...times].map(([id, count]) => ({
      ...of,
      entity_id: id,
      ...(count === 1 ? {} : { times: count }),
    })),
  ]
}
