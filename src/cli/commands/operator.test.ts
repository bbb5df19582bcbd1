import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { data, nothing, refused, runAgainst } from '../fake-api.ts'

const bare = (body: unknown) => () => ({ status: 200, body })
const sealed = {
  type: 'shamir',
  initialized: true,
  sealed: true,
  t: 3,
  n: 5,
  progress: 1,
  nonce: 'n1',
  version: '2.6.2',
  storage_type: 'lmdb',
}
const open = {
  ...sealed,
  sealed: false,
  progress: 0,
  nonce: '',
  build_date: 'D',
  cluster_name: 'c',
  cluster_id: 'i',
}

describe('status', () => {
  it('ends with 0 unsealed, 2 sealed, 1 when it cannot be asked', async () => {
    const answer = ({ path }: { path: string }) =>
      path === 'sys/leader'
        ? { status: 200, body: { ha_enabled: false } }
        : { status: 200, body: open }
    const up = await runAgainst(['status', '-ns=team'], { answer })
    assert.equal(up.code, 0)
    assert.equal(up.requests[0]?.headers['x-vault-namespace'], undefined)
    assert.equal(
      up.stdout,
      [
        'Key             Value',
        '---             -----',
        'Seal Type       shamir',
        'Initialized     true',
        'Sealed          false',
        'Total Shares    5',
        'Threshold       3',
        'Version         2.6.2',
        'Build Date      D',
        'Storage Type    lmdb',
        'Cluster Name    c',
        'Cluster ID      i',
        'HA Enabled      false',
        '',
      ].join('\n'),
    )
    const down = await runAgainst(['status'], {
      answer: ({ path }) =>
        path === 'sys/leader' ? refused(503, 'sealed') : { status: 200, body: sealed },
    })
    assert.equal(down.code, 2)
    assert.match(down.stdout, /^Unseal Progress +1\/3\nUnseal Nonce +n1$/m)
    assert.equal((await runAgainst(['status', '-address=http://127.0.0.1:1'])).code, 1)
    assert.equal((await runAgainst(['status'], { answer: () => refused(500, 'x') })).code, 1)
  })
})

describe('operator', () => {
  it('initialises with 5 shares and 3 needed unless told otherwise, and shows the keys once', async () => {
    const answer = bare({ keys: ['00', '01'], keys_base64: ['AA==', 'AQ=='], root_token: 's.r' })
    const table = await runAgainst(['operator', 'init'], { answer })
    assert.deepEqual(table.requests[0]?.body, { secret_shares: 5, secret_threshold: 3 })
    assert.match(
      table.stdout,
      /^Unseal Key 1: AA==\nUnseal Key 2: AQ==\n\nInitial Root Token: s\.r\n\n/,
    )
    const json = await runAgainst(['operator', 'init', '-n=2', '-t', '2', '-format=json'], {
      answer,
    })
    assert.deepEqual(JSON.parse(json.stdout), {
      unseal_keys_b64: ['AA==', 'AQ=='],
      unseal_keys_hex: ['00', '01'],
      unseal_shares: 2,
      unseal_threshold: 2,
      recovery_keys_b64: [],
      recovery_keys_hex: [],
      recovery_keys_shares: 0,
      recovery_keys_threshold: 0,
      root_token: 's.r',
    })
    const twice = await runAgainst(['operator', 'init'], {
      answer: () => refused(400, 'Vault is already initialized'),
    })
    assert.equal(twice.code, 2)
    assert.match(twice.stderr, /^Error initializing: /)
  })

  it('says whether a server is initialised: 0, 2, or 1 when it cannot be asked', async () => {
    const words = ['operator', 'init', '-status']
    assert.equal((await runAgainst(words, { answer: bare({ initialized: true }) })).code, 0)
    assert.equal((await runAgainst(words, { answer: bare({ initialized: false }) })).code, 2)
    assert.equal((await runAgainst([...words, '-address=http://127.0.0.1:1'])).code, 1)
  })

  it('unseals with a key given, read or typed, and resets', async () => {
    const answer = bare(sealed)
    for (const [words, more] of [
      [['KEY'], {}],
      [['-'], { stdin: 'KEY\n' }],
      [[], { typed: 'KEY' }],
    ] as const) {
      const { requests, stdout } = await runAgainst(['operator', 'unseal', ...words], {
        answer,
        ...more,
      })
      assert.deepEqual(requests[0]?.body, { key: 'KEY' })
      assert.match(stdout, /^Sealed +true$/m)
    }
    const reset = await runAgainst(['operator', 'unseal', '-reset'], { answer })
    assert.deepEqual(reset.requests[0]?.body, { reset: true })
    const alone = await runAgainst(['operator', 'unseal'], { answer })
    assert.deepEqual([alone.code, alone.requests.length], [1, 0])
  })

  it('seals', async () => {
    const { stdout, requests } = await runAgainst(['operator', 'seal'], { answer: () => nothing })
    assert.deepEqual([stdout, requests[0]?.path], ['Success! Vault is sealed.\n', 'sys/seal'])
  })
})

describe('token', () => {
  const made = () =>
    data(null, { auth: { client_token: 's.t', accessor: 'a', token_policies: ['x'] } })

  it('creates below the token in use, as an orphan, or after a role', async () => {
    const words = [
      'token',
      'create',
      '-policy=a',
      '-policy=b',
      '-ttl=1h',
      '-use-limit=3',
      '-metadata=k=v',
      '-renewable=false',
    ]
    const { requests, stdout } = await runAgainst([...words, '-field=token'], { answer: made })
    assert.equal(stdout, 's.t')
    assert.equal(requests[0]?.path, 'auth/token/create')
    assert.deepEqual(requests[0]?.body, {
      policies: ['a', 'b'],
      ttl: '1h',
      renewable: false,
      no_default_policy: false,
      num_uses: 3,
      meta: { k: 'v' },
    })
    const orphan = await runAgainst(['token', 'create', '-orphan'], { answer: made })
    assert.equal(orphan.requests[0]?.path, 'auth/token/create-orphan')
    const role = await runAgainst(['token', 'create', '-role=r'], { answer: made })
    assert.equal(role.requests[0]?.path, 'auth/token/create/r')
  })

  it('looks up, renews and revokes by token, accessor or itself', async () => {
    const cases: [string[], string, unknown][] = [
      [['lookup'], 'auth/token/lookup-self', undefined],
      [['lookup', 's.t'], 'auth/token/lookup', { token: 's.t' }],
      [['lookup', '-accessor', 'a'], 'auth/token/lookup-accessor', { accessor: 'a' }],
      [['renew'], 'auth/token/renew-self', {}],
      [['renew', '-increment=1h', 's.t'], 'auth/token/renew', { token: 's.t', increment: '1h' }],
      [['renew', '-accessor', 'a'], 'auth/token/renew-accessor', { accessor: 'a' }],
      [['revoke', '-self'], 'auth/token/revoke-self', {}],
      [['revoke', 's.t'], 'auth/token/revoke', { token: 's.t' }],
      [['revoke', '-accessor', 'a'], 'auth/token/revoke-accessor', { accessor: 'a' }],
      [['revoke', '-mode=orphan', 's.t'], 'auth/token/revoke-orphan', { token: 's.t' }],
      [['revoke', '-mode=path', 'auth/up'], 'sys/revoke-prefix/auth/up', {}],
    ]
    for (const [words, path, body] of cases) {
      const { code, requests } = await runAgainst(['token', ...words], {
        answer: () => data({ id: 's.t' }),
      })
      assert.deepEqual(
        [code, requests[0]?.path, requests[0]?.body],
        [0, path, body],
        words.join(' '),
      )
    }
    for (const words of [
      ['revoke'],
      ['revoke', '-self', 's.t'],
      ['lookup', '-accessor'],
      ['revoke', '-mode=x', 's.t'],
    ]) {
      const { code, requests } = await runAgainst(['token', ...words])
      assert.deepEqual([code, requests.length], [1, 0], words.join(' '))
    }
  })

  it('prints capabilities in one line', async () => {
    const answer = () => data({ capabilities: ['read', 'list'] })
    const self = await runAgainst(['token', 'capabilities', 'secret/x'], { answer })
    assert.equal(self.stdout, 'list, read\n')
    assert.equal(self.requests[0]?.path, 'sys/capabilities-self')
    const other = await runAgainst(['token', 'capabilities', 's.t', 'secret/x'], { answer })
    assert.deepEqual(other.requests[0]?.body, { token: 's.t', path: 'secret/x' })
  })
})
