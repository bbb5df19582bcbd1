import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { FakeAnswer, SeenRequest } from '../fake-api.ts'
import { data, nothing, refused, runAgainst } from '../fake-api.ts'

/** A server with kv version 2 at secret/ and version 1 at plain/; `answer` is for all but the preflight. */
const engine =
  (answer: (request: SeenRequest) => FakeAnswer) =>
  (request: SeenRequest): FakeAnswer => {
    if (!request.path.startsWith('sys/internal/ui/mounts/')) return answer(request)
    return request.path.endsWith('plain') || request.path.includes('plain/')
      ? data({ path: 'plain/', type: 'kv', options: null })
      : data({ path: 'secret/', type: 'kv', options: { version: '2' } })
  }

const metadata = {
  created_time: 'T',
  custom_metadata: null,
  deletion_time: '',
  destroyed: false,
  version: 2,
}

describe('kv get', () => {
  it('shows path, metadata and data of version 2 under their banners', async () => {
    const answer = engine(() => data({ data: { password: 'x' }, metadata }))
    const { code, stdout, requests } = await runAgainst(['kv', 'get', 'secret/creds'], { answer })
    assert.equal(code, 0)
    assert.deepEqual(
      requests.map((each) => each.path),
      ['sys/internal/ui/mounts/secret/creds', 'secret/data/creds'],
    )
    assert.equal(
      stdout,
      [
        '== Secret Path ==',
        'secret/data/creds',
        '',
        '======= Metadata =======',
        'Key                Value',
        '---                -----',
        'created_time       T',
        'custom_metadata    <nil>',
        'deletion_time      n/a',
        'destroyed          false',
        'version            2',
        '',
        '====== Data ======',
        'Key         Value',
        '---         -----',
        'password    x',
        '',
      ].join('\n'),
    )
  })

  it('takes the mount apart from the path, a version, and a field of the data', async () => {
    const answer = engine(() => data({ data: { a: 'x' }, metadata }))
    const words = ['kv', 'get', '-mount=secret', '-version=1', '-field=a', 'team/app']
    const { stdout, requests } = await runAgainst(words, { answer })
    assert.equal(stdout, 'x')
    assert.equal(requests[1]?.path, 'secret/data/team/app?version=1')
  })

  it('reads version 1 at its own path', async () => {
    const answer = engine(() => data({ a: 'x' }))
    const { stdout, requests } = await runAgainst(['kv', 'get', 'plain/app'], { answer })
    assert.equal(requests[1]?.path, 'plain/app')
    assert.equal(stdout, '== Data ==\nKey    Value\n---    -----\na      x\n')
  })

  it('says what is not there, and shows the metadata of a deleted version', async () => {
    const gone = await runAgainst(['kv', 'get', 'secret/x'], { answer: engine(() => refused(404)) })
    assert.deepEqual([gone.code, gone.stderr], [2, 'No value found at secret/data/x\n'])
    const answer = engine(() => ({ ...data({ data: null, metadata }), status: 404 }))
    const deleted = await runAgainst(['kv', 'get', 'secret/x'], { answer })
    assert.match(deleted.stdout, /Metadata/)
    assert.doesNotMatch(deleted.stdout, /= Data =/)
    const field = await runAgainst(['kv', 'get', '-field=a', 'secret/x'], { answer })
    assert.deepEqual([field.code, field.stderr], [2, 'No data found at secret/data/x\n'])
  })
})

describe('kv put and patch', () => {
  it('puts data below data, with check-and-set', async () => {
    const answer = engine(() => data(metadata))
    const { stdout, requests } = await runAgainst(['kv', 'put', '-cas=0', 'secret/x', 'a=1'], {
      answer,
    })
    assert.deepEqual(requests[1]?.body, { data: { a: '1' }, options: { cas: 0 } })
    assert.match(stdout, /^== Secret Path ==\nsecret\/data\/x\n/)
    const plain = await runAgainst(['kv', 'put', 'plain/x', 'a=1'], {
      answer: engine(() => nothing),
    })
    assert.deepEqual(plain.requests[1]?.body, { a: '1' })
    assert.equal(plain.stdout, 'Success! Data written to: plain/x\n')
    const none = await runAgainst(['kv', 'put', 'secret/x'], { answer })
    assert.deepEqual([none.code, none.stderr], [1, 'Must supply data\n'])
  })

  it('patches by PATCH, and by reading and writing where that is refused', async () => {
    const patch = await runAgainst(['kv', 'patch', '-remove-data=b', 'secret/x', 'a=1'], {
      answer: engine(() => data(metadata)),
    })
    assert.equal(patch.requests[1]?.method, 'PATCH')
    assert.deepEqual(patch.requests[1]?.body, { data: { a: '1', b: null }, options: {} })
    const fallback = await runAgainst(['kv', 'patch', 'secret/x', 'a=1'], {
      answer: engine(({ method }) =>
        method === 'PATCH'
          ? refused(405)
          : method === 'GET'
            ? data({ data: { a: '0', c: '2' }, metadata })
            : data(metadata),
      ),
    })
    assert.deepEqual(fallback.requests.at(-1)?.body, {
      data: { a: '1', c: '2' },
      options: { cas: 2 },
    })
    const nobody = await runAgainst(['kv', 'patch', 'secret/x', 'a=1'], {
      answer: engine(() => refused(404)),
    })
    assert.equal(nobody.code, 2)
    assert.match(nobody.stderr, /^No value found at secret\/data\/x/)
  })

  it('rolls back by writing an earlier version again, if nothing newer came', async () => {
    const answer = engine((request) =>
      request.path.startsWith('secret/metadata')
        ? data({ current_version: 5 })
        : request.method === 'GET'
          ? data({ data: { a: 'old' }, metadata })
          : data(metadata),
    )
    const { requests } = await runAgainst(['kv', 'rollback', '-version=2', 'secret/x'], { answer })
    assert.equal(requests[2]?.path, 'secret/data/x?version=2')
    assert.deepEqual(requests[3]?.body, { data: { a: 'old' }, options: { cas: 5 } })
  })
})

describe('kv delete, undelete, destroy, list and metadata', () => {
  it('goes to the path of each', async () => {
    const cases: [string[], string, string, unknown][] = [
      [['delete', 'secret/x'], 'DELETE', 'secret/data/x', undefined],
      [['delete', '-versions=1,2', 'secret/x'], 'PUT', 'secret/delete/x', { versions: [1, 2] }],
      [['undelete', '-versions=1', 'secret/x'], 'PUT', 'secret/undelete/x', { versions: [1] }],
      [
        ['destroy', '-versions=1', '-versions=3', 'secret/x'],
        'PUT',
        'secret/destroy/x',
        { versions: [1, 3] },
      ],
      [['metadata', 'delete', 'secret/x'], 'DELETE', 'secret/metadata/x', undefined],
      [
        ['metadata', 'put', '-max-versions=3', '-custom-metadata=a=b', 'secret/x'],
        'PUT',
        'secret/metadata/x',
        { max_versions: 3, custom_metadata: { a: 'b' } },
      ],
      [
        ['metadata', 'patch', '-remove-custom-metadata=a', 'secret/x'],
        'PATCH',
        'secret/metadata/x',
        { custom_metadata: { a: null } },
      ],
    ]
    for (const [words, method, path, body] of cases) {
      const { code, requests, stdout } = await runAgainst(['kv', ...words], {
        answer: engine(() => nothing),
      })
      assert.equal(code, 0)
      assert.match(stdout, /^Success! Data/)
      assert.deepEqual(
        [requests[1]?.method, requests[1]?.path, requests[1]?.body],
        [method, path, body],
      )
    }
  })

  it('lists below metadata', async () => {
    const answer = engine(() => data({ keys: ['b', 'a/'] }))
    const { stdout, requests } = await runAgainst(['kv', 'list', 'secret/team'], { answer })
    assert.equal(requests[1]?.path, 'secret/metadata/team?list=true')
    assert.equal(stdout, 'Keys\n----\na/\nb\n')
  })

  it('shows settings and versions', async () => {
    const answer = engine(() =>
      data({ max_versions: 0, versions: { 10: { destroyed: false }, 9: { destroyed: true } } }),
    )
    const { stdout } = await runAgainst(['kv', 'metadata', 'get', 'secret/x'], { answer })
    assert.ok(stdout.indexOf('Version 9') < stdout.indexOf('Version 10'))
    assert.match(stdout, /Metadata Path =+\nsecret\/metadata\/x\n/)
  })

  it('has no versions to speak of in version 1', async () => {
    for (const words of [
      ['undelete', '-versions=1', 'plain/x'],
      ['metadata', 'get', 'plain/x'],
      ['patch', 'plain/x', 'a=1'],
    ]) {
      const { code, requests } = await runAgainst(['kv', ...words], {
        answer: engine(() => nothing),
      })
      assert.deepEqual([code, requests.length], [1, 1])
    }
  })
})
