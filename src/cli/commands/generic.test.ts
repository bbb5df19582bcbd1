import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { data, nothing, refused, runAgainst } from '../fake-api.ts'

const secret = () =>
  data({ password: 'abc', ttl: 3600, list: ['a', 'b'], none: null, map: { k: 1 } })

describe('read', () => {
  it('prints a table with durations and Go values', async () => {
    const { code, stdout } = await runAgainst(['read', '/secret/x/'], {
      answer: () =>
        data(
          { password: 'abc', ttl: 5400, list: ['a', 'b'], none: null, map: { k: 1 } },
          { lease_duration: 2764800 },
        ),
    })
    assert.equal(code, 0)
    assert.equal(
      stdout,
      [
        'Key                 Value',
        '---                 -----',
        'refresh_interval    768h',
        'list                [a b]',
        'map                 map[k:1]',
        'none                <nil>',
        'password            abc',
        'ttl                 1h30m',
        '',
      ].join('\n'),
    )
  })

  it('shows lease rows when there is a lease', async () => {
    const { stdout } = await runAgainst(['read', 'aws/creds/x'], {
      answer: () =>
        data({ a: 'b' }, { lease_id: 'aws/creds/x/abc', lease_duration: 3600, renewable: true }),
    })
    assert.match(
      stdout,
      /^lease_id +aws\/creds\/x\/abc\nlease_duration +1h\nlease_renewable +true\na +b\n/m,
    )
  })

  it('keeps numbers literal in json, which is the whole answer in its order', async () => {
    const { stdout } = await runAgainst(['read', '-format=json', 'x'], {
      answer: () => ({
        status: 200,
        body: '{"request_id":"r","data":{"b":12345678901234567890,"a":1.50}}',
      }),
    })
    assert.equal(
      stdout,
      '{\n  "request_id": "r",\n  "lease_id": "",\n  "lease_duration": 0,\n  "renewable": false,\n' +
        '  "data": {\n    "a": 1.50,\n    "b": 12345678901234567890\n  },\n  "warnings": null\n}\n',
    )
  })

  it('prints yaml, and raw bytes unchanged', async () => {
    const yaml = await runAgainst(['read', '-format=yaml', 'x'], {
      answer: () => data({ a: 'true', num: [1] }),
    })
    assert.match(yaml.stdout, /^data:\n  a: "true"\n  num:\n  - 1\nlease_duration: 0\n/)
    const raw = await runAgainst(['read', '-format=raw', 'x'], {
      answer: () => ({ status: 200, body: '{"x" :  1}' }),
    })
    assert.equal(raw.stdout, '{"x" :  1}')
  })

  it('prints one field bare without a newline, with one on a terminal, encoded in json', async () => {
    const words = ['read', '-field=password', 'x']
    assert.equal((await runAgainst(words, { answer: secret })).stdout, 'abc')
    assert.equal((await runAgainst(words, { answer: secret, isTTY: true })).stdout, 'abc\n')
    const json = await runAgainst([...words, '-format=json'], { answer: secret })
    assert.equal(json.stdout, '"abc"\n')
    const missing = await runAgainst(['read', '-field=x', 'x'], { answer: secret })
    assert.deepEqual([missing.code, missing.stderr], [1, 'Field "x" not present in secret\n'])
    const inherited = await runAgainst(['read', '-field=constructor', 'x'], { answer: secret })
    assert.equal(inherited.code, 1)
  })

  it('says that nothing is there, with exit code 2, and what an empty identity list means', async () => {
    const gone = await runAgainst(['read', 'secret/x'], { answer: () => refused(404) })
    assert.deepEqual([gone.code, gone.stderr], [2, 'No value found at secret/x\n'])
    const none = await runAgainst(['list', 'identity/entity/id'], { answer: () => refused(404) })
    assert.equal(none.code, 2)
    assert.match(none.stderr, /^No value found at identity\/entity\/id\nNo entities yet/)
  })

  it('prints warnings and hints on standard error, and only in tables', async () => {
    const answer = () =>
      data({ a: 1 }, { warnings: ['careful'], hints: [{ code: 'c', text: 'look here' }] })
    const table = await runAgainst(['read', 'x'], { answer })
    assert.equal(
      table.stderr,
      'WARNING! The following warnings were returned from Vault:\n\n  * careful\n\nHint: look here\n',
    )
    const json = await runAgainst(['read', '-format=json', 'x'], { answer })
    assert.equal(json.stderr, '')
    assert.deepEqual(JSON.parse(json.stdout).warnings, ['careful'])
  })

  it('sends K=V as parameters', async () => {
    const { requests } = await runAgainst(['read', 'x', 'a=1', 'b=x', 'b=y'], { answer: secret })
    assert.equal(requests[0]?.path, 'x?a=1&b=x&b=y')
  })
})

describe('list', () => {
  const answer = () => data({ keys: ['b', 'a/'], key_info: { b: { name: 'bob' }, 'a/': {} } })

  it('prints sorted keys, as json only the keys, detailed with the columns of key_info', async () => {
    const table = await runAgainst(['list', 'secret/'], { answer })
    assert.equal(table.stdout, 'Keys\n----\na/\nb\n')
    assert.equal(table.requests[0]?.path, 'secret?list=true')
    assert.equal(
      (await runAgainst(['list', '-format=json', 'x'], { answer })).stdout,
      '[\n  "b",\n  "a/"\n]\n',
    )
    const detailed = await runAgainst(['list', '-detailed', 'x'], { answer })
    assert.equal(detailed.stdout, 'Keys    name\n----    ----\na/      n/a\nb       bob\n')
  })

  it('prints {} with exit code 2 for nothing in other formats, and sends its page', async () => {
    const none = await runAgainst(['list', '-format=json', 'x'], { answer: () => refused(404) })
    assert.deepEqual([none.code, none.stdout], [2, '{}\n'])
    const page = await runAgainst(['list', '-after=b', '-limit=2', 'x'], { answer })
    assert.equal(page.requests[0]?.path, 'x?after=b&limit=2&list=true')
  })
})

describe('write, patch and delete', () => {
  it('writes text values and says so, and prints nothing in json', async () => {
    const done = await runAgainst(['write', 'secret/x', 'a=1=2', 'b=', 'c=x', 'c=y'], {
      answer: () => nothing,
    })
    assert.deepEqual([done.code, done.stdout], [0, 'Success! Data written to: secret/x\n'])
    assert.equal(done.requests[0]?.method, 'PUT')
    assert.deepEqual(done.requests[0]?.body, { a: '1=2', b: '', c: ['x', 'y'] })
    const json = await runAgainst(['write', '-format=json', 'x', 'a=1'], { answer: () => nothing })
    assert.deepEqual([json.code, json.stdout], [0, ''])
  })

  it('reads values from files, standard input and JSON objects', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'signet-'))
    try {
      const file = join(folder, 'v.json')
      await writeFile(file, '{"n": 1.50}\n')
      const { requests } = await runAgainst(
        ['write', 'x', `a=@${file}`, 'b=\\@lit', `@${file}`, 'c=-'],
        {
          answer: () => nothing,
          stdin: 'in',
        },
      )
      assert.deepEqual(requests[0]?.body, { a: '{"n": 1.50}\n', b: '@lit', n: 1.5, c: 'in' })
      const twice = await runAgainst(['write', 'x', 'a=-', '-'], { stdin: '{}' })
      assert.equal(twice.stderr, 'Failed to parse K=V data: stdin already consumed\n')
      const quiet = await runAgainst(['write', '-non-interactive', 'x', 'a=-'], {
        answer: () => nothing,
        stdin: 'in',
      })
      assert.deepEqual(quiet.requests[0]?.body, { a: '' })
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it('keeps a key named __proto__ a key', async () => {
    const { requests } = await runAgainst(['write', 'x', '-'], {
      answer: () => nothing,
      stdin: '{"__proto__": "x"}',
    })
    assert.deepEqual(Object.keys(requests[0]?.body as object), ['__proto__'])
  })

  it('says that a lookup found nobody', async () => {
    const words = ['write', 'identity/lookup/entity', 'name=zz']
    const { code, stderr, stdout } = await runAgainst(words, { answer: () => nothing })
    assert.deepEqual([code, stderr, stdout], [2, 'No such entity\n', ''])
  })

  it('shows the hint of a write without an answer', async () => {
    const { stdout, stderr } = await runAgainst(['write', 'x', 'polices=a'], {
      answer: () => ({ status: 204, headers: { 'Signet-Hint': 'unknown field polices' } }),
    })
    assert.equal(stdout, 'Success! Data written to: x\n')
    assert.equal(stderr, 'Hint: unknown field polices\n')
  })

  it('patches with a merge patch and deletes with parameters', async () => {
    const patch = await runAgainst(['patch', 'x', 'a=1'], { answer: () => nothing })
    assert.equal(patch.requests[0]?.method, 'PATCH')
    assert.equal(patch.requests[0]?.headers['content-type'], 'application/merge-patch+json')
    const gone = await runAgainst(['delete', 'x', 'a=1'], { answer: () => nothing })
    assert.equal(gone.stdout, 'Success! Data deleted (if it existed) at: x\n')
    assert.deepEqual([gone.requests[0]?.method, gone.requests[0]?.path], ['DELETE', 'x?a=1'])
  })
})

describe('a wrapped answer', () => {
  const wrapped = () =>
    data(null, {
      wrap_info: {
        token: 's.w',
        accessor: 'acc',
        ttl: 60,
        creation_time: 'T',
        creation_path: 'p',
        wrapped_accessor: 'wa',
      },
    })

  it('shows rows that end in a colon, and its fields by name', async () => {
    const { stdout } = await runAgainst(['write', '-f', '-wrap-ttl=60s', 'sys/wrapping/wrap'], {
      answer: wrapped,
    })
    assert.match(stdout, /^wrapping_token: +s\.w$/m)
    assert.match(stdout, /^wrapping_token_ttl: +1m$/m)
    assert.match(stdout, /^wrapped_accessor: +wa$/m)
    const field = await runAgainst(['write', '-f', '-field=wrapping_token', 'x'], {
      answer: wrapped,
    })
    assert.equal(field.stdout, 's.w')
  })

  it('is unwrapped with the token of whoever asks, or with itself', async () => {
    const answer = () => data({ k: 'v' })
    const own = await runAgainst(['unwrap', 's.w'], { answer })
    assert.deepEqual(own.requests[0]?.body, { token: 's.w' })
    assert.equal(own.requests[0]?.headers['x-vault-token'], 'tok')
    const self = await runAgainst(['unwrap', 's.w'], { answer, env: { VAULT_TOKEN: '' } })
    assert.deepEqual(self.requests[0]?.body, {})
    assert.equal(self.requests[0]?.headers['x-vault-token'], 's.w')
    const empty = await runAgainst(['unwrap', 's.w'], { answer: () => nothing })
    assert.match(empty.stdout, /^Successfully unwrapped/)
  })
})
