import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Namespace } from '../engine/call.ts'
import type { LiveToken, TokenPort } from '../engine/ports/tokens.ts'
import { ConflictQueues, createRecords } from '../core/records.ts'
import { createMemoryStore } from '../storage/memory/memory-store.ts'
import { sessionDues, sessionRecords, sessionSids } from './session-record.ts'
import { Sessions } from './sessions.ts'

const namespace: Namespace = { id: 'root', number: 0, path: '' }
const hash = (kind: string, text: string) =>
  new Uint8Array(Buffer.from(`${kind}${text}`.padStart(16, '-').slice(-16)))
const names = { hash, hashNew: hash }
const HOUR = 3_600_000

const setUp = (type: 'service' | 'batch' = 'service') => {
  const store = createMemoryStore()
  const records = createRecords({ store, queues: new ConflictQueues(), authority: () => [] })
  const dead = new Set<string>()
  const tokens: Pick<TokenPort, 'find' | 'revoke'> = {
    find: async (_reader, _scope, text) =>
      dead.has(text)
        ? undefined
        : ({
            type,
            key: names.hash('token', text),
            record: { entityId: '', boundCidrs: [] },
          } as unknown as LiveToken),
    revoke: (_tx, _scope, { key }) => {
      dead.add(
        Buffer.from(key)
          .toString()
          .replace(/^-*token/, ''),
      )
    },
  }
  const sessions = new Sessions({
    tokens: () => tokens,
    subject: async () => undefined,
    times: { idleMs: 2 * HOUR, maxMs: 5 * HOUR },
  })
  const at = (now: number) => ({ records, names, namespace, now })
  const left = async (): Promise<number> => {
    let count = 0
    for (const kind of [sessionRecords, sessionSids, sessionDues]) {
      for await (const page of records.scan(kind.under(0) as never)) count += page.length
    }
    return count
  }
  const sweep = (now: number) =>
    sessions.background({
      ...at(now),
      newId: () => '',
      mount: undefined as never,
    })
  return { sessions, at, dead, left, sweep }
}

const login = (token: string) => ({ token, username: 'alice', mount: 'userpass/' })

describe('sessions that are over', () => {
  it('go with their tokens, without anybody asking, and not before', async () => {
    const { sessions, at, dead, left, sweep } = setUp()
    const one = await sessions.begin(at(0), login('a'))
    await sessions.begin(at(0), login('b'))
    await sessions.find(at(HOUR), one!.cookie, '')
    await sweep(2 * HOUR - 1)
    assert.equal(dead.size, 0)
    await sweep(2 * HOUR + 1)
    assert.deepEqual([...dead], ['b'])
    assert.ok(await sessions.find(at(2.5 * HOUR), one!.cookie, ''))
    await sweep(4 * HOUR)
    await sessions.find(at(4 * HOUR), one!.cookie, '')
    await sweep(5 * HOUR + 1)
    assert.deepEqual([...dead], ['b', 'a'])
    assert.equal(await left(), 0)
  })

  it('leave nothing behind when they were ended before', async () => {
    const { sessions, at, left, sweep } = setUp()
    const begun = await sessions.begin(at(0), login('a'))
    await sessions.end(at(1), begun!.session.record.sid)
    await sessions.end(at(1), begun!.session.record.sid)
    await sweep(6 * HOUR)
    assert.equal(await left(), 0)
  })

  it('are not begun with a token that has ended', async () => {
    const { sessions, at, dead } = setUp()
    dead.add('a')
    assert.equal(await sessions.begin(at(0), login('a')), undefined)
  })

  it('have no sid where their token cannot be ended, which ends with its time', async () => {
    const { sessions, at, dead, left, sweep } = setUp('batch')
    const begun = await sessions.begin(at(0), login('a'))
    assert.equal(begun!.session.record.sid, '')
    await sessions.end(at(1), '')
    assert.ok(await sessions.find(at(1), begun!.cookie, ''))
    await sweep(6 * HOUR)
    assert.equal(dead.size, 0)
    assert.equal(await left(), 0)
  })
})
