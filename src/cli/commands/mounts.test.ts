import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { data, nothing, refused, runAgainst } from '../fake-api.ts'

const mounts = {
  'userpass/': {
    type: 'userpass',
    accessor: 'auth_userpass_1',
    description: 'people',
    plugin_version: '',
  },
  'token/': {
    type: 'token',
    accessor: 'auth_token_1',
    description: '',
    config: { max_lease_ttl: 3600 },
  },
}

describe('auth and secrets', () => {
  it('enables at the path of the type or at -path, with the options given', async () => {
    const auth = await runAgainst(
      ['auth', 'enable', '-path=/up/', '-max-lease-ttl=1h', '-token-type=batch', 'userpass'],
      {
        answer: () => nothing,
      },
    )
    assert.equal(auth.stdout, 'Success! Enabled userpass auth method at: up/\n')
    assert.equal(auth.requests[0]?.path, 'sys/auth/up')
    assert.deepEqual(auth.requests[0]?.body, {
      type: 'userpass',
      description: '',
      config: { max_lease_ttl: '1h', token_type: 'batch' },
      local: false,
      seal_wrap: false,
      external_entropy_access: false,
    })
    const kv = await runAgainst(['secrets', 'enable', '-version=2', 'kv'], {
      answer: () => nothing,
    })
    assert.equal(kv.stdout, 'Success! Enabled the kv secrets engine at: kv/\n')
    assert.deepEqual(Object(kv.requests[0]?.body)['options'], { version: '2' })
  })

  it('lists in columns, in detail, and as the map in json', async () => {
    const answer = () => data(mounts)
    const table = await runAgainst(['auth', 'list'], { answer })
    assert.equal(
      table.stdout,
      [
        'Path         Type        Accessor           Description    Version',
        '----         ----        --------           -----------    -------',
        'token/       token       auth_token_1       n/a            n/a',
        'userpass/    userpass    auth_userpass_1    people         n/a',
        '',
      ].join('\n'),
    )
    const detailed = await runAgainst(['auth', 'list', '-detailed'], { answer })
    assert.match(detailed.stdout, /^token\/ +token +auth_token_1 +system +1h /m)
    const json = await runAgainst(['auth', 'list', '-format=json'], { answer })
    assert.deepEqual(JSON.parse(json.stdout), mounts)
  })

  it('tunes only what is given: TTL 0 nothing, a negative one back to the system', async () => {
    const words = [
      'auth',
      'tune',
      '-default-lease-ttl=0',
      '-max-lease-ttl=-1',
      '-user-lockout-threshold=3',
      'up',
    ]
    const { requests, stdout } = await runAgainst(words, { answer: () => nothing })
    assert.equal(stdout, 'Success! Tuned the auth method at: up/\n')
    assert.deepEqual(requests[0]?.body, {
      max_lease_ttl: 'system',
      user_lockout_config: { lockout_threshold: '3' },
    })
  })

  it('waits for a move to end', async () => {
    let asked = 0
    const answer = ({ path }: { path: string }) =>
      path === 'sys/remount'
        ? data({ migration_id: 'm1' })
        : data({ migration_info: { status: ++asked < 2 ? 'in-progress' : 'success' } })
    const { code, stdout, requests } = await runAgainst(['auth', 'move', 'a', 'b'], { answer })
    assert.equal(code, 0)
    assert.deepEqual(requests[0]?.body, { from: 'auth/a/', to: 'auth/b/' })
    assert.match(
      stdout,
      /^Started moving auth method a\/ to b\/, with migration ID m1\nSuccess! Finished/,
    )
  })

  it('disables', async () => {
    const auth = await runAgainst(['auth', 'disable', 'up/'], { answer: () => nothing })
    assert.equal(auth.stdout, 'Success! Disabled the auth method (if it existed) at: up/\n')
    const kv = await runAgainst(['secrets', 'disable', 'kv'], { answer: () => refused(400, 'no') })
    assert.equal(kv.code, 2)
    assert.match(kv.stderr, /^Error disabling secrets engine at kv\/: /)
  })
})

describe('audit', () => {
  it('enables with options, lists, says when there is none', async () => {
    const words = ['audit', 'enable', '-path=f2', 'file', 'file_path=/tmp/a.log']
    const enabled = await runAgainst(words, { answer: () => nothing })
    assert.equal(enabled.stdout, 'Success! Enabled the file audit device at: f2/\n')
    assert.deepEqual(enabled.requests[0]?.body, {
      type: 'file',
      description: '',
      options: { file_path: '/tmp/a.log' },
      local: false,
    })
    const none = await runAgainst(['audit', 'list'], { answer: () => data({}) })
    assert.deepEqual([none.code, none.stderr], [2, 'No audit devices are enabled.\n'])
    const device = { type: 'file', description: '', local: false, options: { file_path: '/a' } }
    const list = await runAgainst(['audit', 'list', '-detailed'], {
      answer: () => data({ 'file/': device }),
    })
    assert.match(list.stdout, /^file\/ +file +n\/a +replicated +file_path=\/a$/m)
  })
})

describe('policy', () => {
  it('writes from a file or standard input under the lower-case name', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'signet-'))
    try {
      await writeFile(join(folder, 'p.hcl'), 'path "a" {}\n')
      const file = await runAgainst(['policy', 'write', 'Dev', join(folder, 'p.hcl')], {
        answer: () => nothing,
      })
      assert.equal(file.stdout, 'Success! Uploaded policy: dev\n')
      assert.equal(file.requests[0]?.path, 'sys/policies/acl/dev')
      assert.deepEqual(file.requests[0]?.body, { policy: 'path "a" {}\n' })
      const missing = await runAgainst(['policy', 'write', 'dev', join(folder, 'nope')])
      assert.equal(missing.code, 1)
    } finally {
      await rm(folder, { recursive: true })
    }
    const stdin = await runAgainst(['policy', 'write', 'dev', '-'], {
      answer: () => nothing,
      stdin: 'path "b" {}',
    })
    assert.deepEqual(stdin.requests[0]?.body, { policy: 'path "b" {}' })
  })

  it('reads, lists and deletes', async () => {
    const read = await runAgainst(['policy', 'read', 'dev'], {
      answer: () => data({ name: 'dev', policy: 'text\n' }),
    })
    assert.equal(read.stdout, 'text\n')
    const none = await runAgainst(['policy', 'read', 'dev'], { answer: () => refused(404) })
    assert.deepEqual([none.code, none.stderr], [2, 'No policy named: dev\n'])
    const list = await runAgainst(['policy', 'list'], {
      answer: () => data({ keys: ['default', 'root'] }),
    })
    assert.equal(list.stdout, 'default\nroot\n')
    const gone = await runAgainst(['policy', 'delete', 'dev'], { answer: () => nothing })
    assert.equal(gone.stdout, 'Success! Deleted policy: dev\n')
  })
})
