import { drive, requestText, send } from './drive.ts'

/** Someone with an entity, an alias, two groups, and tokens with a plain and a templated policy for their own entity. */
export interface Person {
  readonly roleId: string
  readonly secretId: string
  readonly entityId: string
  readonly plainToken: string
  readonly templatedToken: string
}

/** The data that the workloads stand on. */
export interface Data {
  readonly people: readonly Person[]
}

const PEOPLE = 200
/** Members of a group. */
const TEAM = 50

/** Rules beside the one that counts, as real policies have them. */
const OTHER_RULES = Array.from(
  { length: 9 },
  (_, at) => `path "secret/data/team-${at}/*" { capabilities = ["read", "update"] }`,
).join('\n')

const PLAIN = `path "identity/entity/id/*" { capabilities = ["read"] }
path "secret/data/*" { capabilities = ["read", "list"] }
${OTHER_RULES}`
const TEMPLATED = `path "identity/entity/id/{{identity.entity.id}}" { capabilities = ["read"] }
path "secret/data/{{identity.entity.name}}/*" { capabilities = ["read", "list"] }
${OTHER_RULES}`

const MAKER = 'path "auth/token/create" { capabilities = ["update"] }'

type Answered = {
  readonly auth: { readonly client_token: string; readonly entity_id: string }
  readonly data: Readonly<Record<string, never>>
}

/** Makes the people, their groups and policies, the mounts, and one secret. Takes some seconds. */
export const makePeople = async (port: number): Promise<Data> => {
  const call = async (method: string, path: string, body?: unknown, token?: string) =>
    (await send(port, method, path, body, token)) as Answered
  await call('POST', 'sys/policies/acl/plain', { policy: PLAIN })
  await call('POST', 'sys/policies/acl/templated', { policy: TEMPLATED })
  await call('POST', 'sys/policies/acl/maker', { policy: MAKER })
  await call('POST', 'sys/auth/approle', { type: 'approle' })
  await call('POST', 'sys/auth/userpass', { type: 'userpass' })
  await call('POST', 'auth/userpass/users/someone', { password: 'correct horse battery staple' })
  await call('POST', 'secret/data/app', { data: { user: 'app', password: 'a'.repeat(32) } })

  const people: Person[] = []
  const make = async (at: number): Promise<void> => {
    const role = `auth/approle/role/person-${at}`
    await call('POST', role, { token_policies: ['plain', 'templated', 'maker'], token_ttl: '1h' })
    const roleId = (await call('GET', `${role}/role-id`)).data['role_id']!
    const secretId = (await call('POST', `${role}/secret-id`, {})).data['secret_id']!
    const { auth } = await call('POST', 'auth/approle/login', {
      role_id: roleId,
      secret_id: secretId,
    })
    // Children inherit the entity: tokens of several policies from one login.
    const tokenWith = async (policy: string) => {
      const body = { policies: [policy], ttl: '1h' }
      return (await call('POST', 'auth/token/create', body, auth.client_token)).auth.client_token
    }
    await call('POST', `identity/entity/id/${auth.entity_id}`, {
      metadata: { team: `team-${at % 9}`, office: 'Utrecht', cost_center: '4711' },
    })
    people[at] = {
      roleId,
      secretId,
      entityId: auth.entity_id,
      plainToken: await tokenWith('plain'),
      templatedToken: await tokenWith('templated'),
    }
  }
  for (let at = 0; at < PEOPLE; at += 20) {
    await Promise.all(Array.from({ length: 20 }, (_, next) => make(at + next)))
  }
  for (let at = 0; at < PEOPLE; at += TEAM) {
    const members = people.slice(at, at + TEAM).map(({ entityId }) => entityId)
    for (const name of [`team-${at}`, `on-call-${at}`]) {
      await call('POST', 'identity/group', {
        name,
        policies: ['default'],
        member_entity_ids: members,
      })
    }
  }
  return { people }
}

/** Creates entities `<prefix>-0` …, many at a time. */
export const makeEntities = async (port: number, prefix: string, count: number): Promise<void> => {
  const { refused, refusal } = await drive({
    port,
    clients: 64,
    requests: count,
    ask: (at) => requestText('POST', 'identity/entity', 'root', { name: `${prefix}-${at}` }),
  })
  if (refused > 0) throw new Error(`${refused} entities were refused: ${refusal}`)
}
