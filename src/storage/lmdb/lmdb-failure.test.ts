import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Unavailable, Unknown } from '../store.ts'
import { commitFailure, readFailure } from './lmdb-failure.ts'

/** A failed transaction as lmdb-js reports it: the cause is in a promise beside the error. */
const failed = (cause: Error & { readonly code?: number }): Error =>
  Object.assign(new Error('Commit failed (see commitError for details)'), {
    commitError: Promise.reject(cause),
  })

const reads = () => true
const readsNoMore = () => false

describe('a failed transaction', () => {
  it('certainly did nothing when the disk or the map was full', async () => {
    for (const code of [28, 27, -30792]) {
      const failure = await commitFailure(
        failed(Object.assign(new Error('full'), { code })),
        readsNoMore,
      )
      assert.ok(failure instanceof Unavailable)
      assert.equal(failure.message, 'LMDB: full')
    }
  })

  it('is undecided after an I/O error only if LMDB opens no snapshot any more', async () => {
    const error = () => failed(Object.assign(new Error('I/O'), { code: 5 }))
    assert.ok((await commitFailure(error(), reads)) instanceof Unavailable)
    assert.ok((await commitFailure(error(), readsNoMore)) instanceof Unknown)
  })

  it('did nothing when it was refused before it began', async () => {
    for (const error of [new Error('Database is closed'), 'a text', undefined]) {
      assert.ok((await commitFailure(error, reads)) instanceof Unavailable)
    }
  })
})

describe('a failed read', () => {
  it('is unavailable and keeps its cause', () => {
    const cause = new Error('closed')
    const failure = readFailure(cause)
    assert.ok(failure instanceof Unavailable)
    assert.equal(failure.cause, cause)
  })
})
