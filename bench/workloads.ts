import { requestText } from './drive.ts'
import type { Ask } from './drive.ts'
import type { Data, Person } from './people.ts'

/** What is measured: one kind of request. */
export interface Workload {
  readonly name: string
  readonly title: string
  readonly ask: (data: Data) => Ask
  /** The workload that this one is compared with, for the last column. */
  readonly against?: string
  /** Runs beside it, unmeasured: so many clients that log in with a password. */
  readonly passwordLogins?: number
}

/** One request a person, in turn. */
const each =
  (text: (person: Person) => string) =>
  ({ people }: Data): Ask => {
    const texts = people.map(text)
    return (count) => texts[count % texts.length]!
  }

const ownEntity =
  (token: (person: Person) => string) =>
  (person: Person): string =>
    requestText('GET', `identity/entity/id/${person.entityId}`, token(person))

let created = 0

/** A name that no run of this process has used. */
const fresh = (): string => `bench-${++created}`

export const passwordLogin: Ask = () =>
  requestText('POST', 'auth/userpass/login/someone', undefined, {
    password: 'correct horse battery staple',
  })

export const workloads: readonly Workload[] = [
  {
    name: 'entity-read',
    title: 'entity read, plain policy',
    ask: each(ownEntity(({ plainToken }) => plainToken)),
  },
  {
    name: 'entity-read-templated',
    title: 'entity read, templated policy',
    ask: each(ownEntity(({ templatedToken }) => templatedToken)),
    against: 'entity-read',
  },
  {
    name: 'entity-read-beside-logins',
    title: 'entity read beside password logins',
    ask: each(ownEntity(({ plainToken }) => plainToken)),
    against: 'entity-read',
    passwordLogins: 8,
  },
  {
    name: 'lookup-self',
    title: 'token lookup-self',
    ask: each(({ plainToken }) => requestText('GET', 'auth/token/lookup-self', plainToken)),
  },
  {
    name: 'kv-read',
    title: 'KV v2 read',
    ask: each(({ plainToken }) => requestText('GET', 'secret/data/app', plainToken)),
  },
  {
    name: 'approle-login',
    title: 'AppRole login',
    ask: each(({ roleId, secretId }) =>
      requestText('POST', 'auth/approle/login', undefined, {
        role_id: roleId,
        secret_id: secretId,
      }),
    ),
  },
  {
    name: 'entity-create',
    title: 'entity creation',
    ask: () => () => requestText('POST', 'identity/entity', 'root', { name: fresh() }),
  },
  {
    name: 'token-create',
    title: 'token creation',
    ask: () => () =>
      requestText('POST', 'auth/token/create', 'root', { policies: ['plain'], ttl: '1h' }),
  },
]
