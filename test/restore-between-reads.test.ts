import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { RESTORE_STAMPS } from '../src/process/restore.ts'
import type { Operation } from '../src/core/request.ts'
import { withFaults } from '../src/storage/faults/fault-store.ts'
import type { PostgresStoreHandle } from '../src/storage/postgres/postgres-store.ts'
import { openPostgresStore } from '../src/storage/postgres/postgres-store.ts'
import type { Entry } from '../src/storage/store.ts'
import type { Answer, LocalServer } from './faults/local-server.ts'
import { startLocal } from './faults/local-server.ts'
import type { TestPostgres } from './support/postgres.ts'
import { skipWithout, startPostgres } from './support/postgres.ts'

interface Asked {
  readonly operation: Operation
  readonly path: string
  readonly data?: Readonly<Record<string, string>>
  readonly token?: string
}

const MEMBERS = 3
/** What reads several records, or lists, or is decided by what was read before. */
const REQUESTS: readonly Asked[] = [
  { operation: 'read', path: 'identity/group/name/team' },
  { operation: 'read', path: 'identity/entity/name/person-1' },
  { operation: 'list', path: 'identity/entity/name' },
  { operation: 'list', path: 'kv/' },
  { operation: 'update', path: 'identity/lookup/entity', data: { name: 'person-2' } },
  { operation: 'read', path: 'secret/data/one' },
  { operation: 'read', path: 'sys/policies/acl/reader' },
  { operation: 'read', path: 'sys/mounts' },
  // A token of the data of before, which that of after it does not know; it may read either.
  { operation: 'read', path: 'kv/plain', token: 'later' },
  { operation: 'read', path: 'auth/token/lookup-self', token: 'later' },
]

describe(
  'a restore into a database that commits between the reads of a request',
  { skip: skipWithout('postgres') },
  () => {
    let database: TestPostgres
    let store: PostgresStoreHandle
    let server: LocalServer
    const kept = new Map<'early' | 'late', readonly Entry[]>()
    /** Calls of the store that a request made; at which of them, from 1, the restore is done. */
    let watched: { calls: number; readonly at: number; struck?: Promise<void> } | undefined

    before(async () => {
      database = await startPostgres()
      store = await openPostgresStore({ connectionUrl: database.url })
      const watching = withFaults(store, () => {
        if (watched === undefined) return undefined
        watched.calls += 1
        if (watched.calls !== watched.at) return undefined
        const struck = put('early')
        watched.struck = struck
        return { before: () => struck }
      })
      server = await startLocal(watching)
      await fill('early')
      kept.set('early', await Array.fromAsync(store.snapshot(new AbortController().signal)))
      await fill('late')
      const made = { id: 'later', policies: 'reader' } as const
      assert.equal((await server.ask('update', 'auth/token/create', made)).status, 200)
      kept.set('late', await Array.fromAsync(store.snapshot(new AbortController().signal)))
    })
    after(async () => {
      await server.close()
      await store.close()
      await database.stop()
    })

    const fill = async (time: string): Promise<void> => {
      const write = async (path: string, data: Readonly<Record<string, never>>): Promise<void> => {
        const { status, body } = await server.ask('update', path, data)
        assert.ok(status < 300 || JSON.stringify(body).includes('already in use'), path)
      }
      const as = (data: unknown) => data as Readonly<Record<string, never>>
      if (time === 'early') {
        await write('sys/mounts/kv', as({ type: 'kv' }))
        await write('sys/mounts/secret', as({ type: 'kv-v2' }))
      } else await write('sys/mounts/more', as({ type: 'kv' }))
      const ids: string[] = []
      for (let index = 0; index < MEMBERS; index++) {
        const name = `person-${index}`
        await write('identity/entity', as({ name, metadata: { time } }))
        ids.push((await server.ask('read', `identity/entity/name/${name}`)).body.data.id)
      }
      if (time === 'late') await write('identity/entity', as({ name: 'person-late' }))
      await write(
        'identity/group',
        as({ name: 'team', metadata: { time }, member_entity_ids: ids }),
      )
      await write(
        'sys/policies/acl/reader',
        as({ policy: `# ${time}\npath "kv/*" { capabilities = ["read"] }` }),
      )
      await write('kv/plain', as({ time }))
      await write(`kv/of-${time}`, as({ time }))
      await write('secret/data/one', as({ data: { time } }))
    }

    /** Restores what was kept, whatever the server is at. */
    const put = async (time: 'early' | 'late'): Promise<void> => {
      const entries = async function* () {
        yield* kept.get(time)!
      }
      const replacement = await store.prepareReplacement(entries(), RESTORE_STAMPS)
      await replacement.exchange()
      await replacement.drop()
    }

    const ask = async ({ operation, path, data, token }: Asked): Promise<Answer> => {
      const { status, body } = await server.ask(operation, path, data, token)
      // Of the request, and of the time it was made at.
      const { request_id: _, ...told } = body
      return { status, body: JSON.parse(JSON.stringify(told).replaceAll(/"ttl":\d+/g, '"ttl":0')) }
    }

    for (const warm of [false, true]) {
      const how = warm ? 'from memory, confirmed' : 'from the database'
      it(`shows it the one data or the other, or 503 (${how})`, async (t) => {
        let refused = 0
        let answered = 0
        for (const asked of REQUESTS) {
          await put('early')
          const early = await ask(asked)
          await put('late')
          const late = await ask(asked)
          const name = `${asked.operation} ${asked.path}`
          for (let at = 1, over = false; !over; at++) {
            await put('late')
            // Opens the restored data; then the request itself is in memory.
            await ask(warm ? asked : { operation: 'read', path: 'kv/nothing' })
            const watching = { calls: 0, at } as NonNullable<typeof watched>
            watched = watching
            const answer = await ask(asked)
            watched = undefined
            over = watching.struck === undefined
            await watching.struck
            if (answer.status === 503) {
              assert.match(answer.body.errors[0], /a snapshot was restored/)
              refused++
              continue
            }
            answered++
            try {
              assert.deepEqual(answer, late, `${name}, before call ${at}`)
            } catch {
              assert.deepEqual(answer, early, `${name}, before call ${at}`)
            }
          }
        }
        assert.ok(answered > 0)
        t.diagnostic(`${answered} answered, ${refused} refused`)
      })
    }
  },
)
