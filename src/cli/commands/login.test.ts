import assert from 'node:assert/strict'
import { chmod, mkdtemp, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { FakeAnswer, SeenRequest } from '../fake-api.ts'
import { data, refused, runAgainst } from '../fake-api.ts'

let home: string

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'signet-'))
})

afterEach(async () => {
  await rm(home, { recursive: true })
})

const auth = {
  client_token: 's.new',
  accessor: 'acc',
  lease_duration: 3600,
  renewable: true,
  token_policies: ['default'],
  policies: ['default'],
  metadata: { username: 'bob' },
}

const loggedIn = (): FakeAnswer => data(null, { auth })
const env = { VAULT_TOKEN: '' }
const kept = async (): Promise<string> => await readFile(join(home, '.vault-token'), 'utf8')

describe('login', () => {
  it('keeps the token of a password login in ~/.vault-token, readable to its owner alone', async () => {
    await writeFile(join(home, '.vault-token'), 'old', { mode: 0o644 })
    const words = ['login', '-method=userpass', '-path=up/', 'username=bob', 'password=pw']
    const { code, stdout, requests } = await runAgainst(words, { answer: loggedIn, env, home })
    assert.equal(code, 0)
    assert.equal(requests[0]?.path, 'auth/up/login/bob')
    assert.deepEqual(requests[0]?.body, { password: 'pw' })
    assert.equal(requests[0]?.headers['x-vault-token'], undefined)
    assert.equal(await kept(), 's.new')
    assert.equal((await stat(join(home, '.vault-token'))).mode & 0o777, 0o600)
    assert.match(
      stdout,
      /^Success! You are now authenticated\..*\nalready stored in the token helper/,
    )
    assert.match(stdout, /^token_policies +\["default"\]$/m)
    assert.match(stdout, /^token_meta_username +bob$/m)
  })

  it('asks for a password that is not given, and fails where nobody can be asked', async () => {
    const words = ['login', '-method=userpass', 'username=bob']
    const asked = await runAgainst(words, { answer: loggedIn, env, home, typed: 'secret' })
    assert.deepEqual(asked.requests[0]?.body, { password: 'secret' })
    const alone = await runAgainst(words, { answer: loggedIn, env, home })
    assert.equal(alone.code, 1)
    assert.equal(alone.requests.length, 0)
  })

  it('checks a token that it is given, by argument, standard input or prompt', async () => {
    const answer = (): FakeAnswer => data({ id: 's.x', accessor: 'a', ttl: 0, policies: ['root'] })
    for (const [words, more] of [
      [['login', 's.x'], {}],
      [['login', '-'], { stdin: 's.x\n' }],
      [['login'], { typed: 's.x' }],
      [['login', 'token=s.x'], {}],
    ] as const) {
      const { code, stdout, requests } = await runAgainst([...words], {
        answer,
        env,
        home,
        ...more,
      })
      assert.equal(code, 0)
      assert.equal(requests[0]?.path, 'auth/token/lookup-self')
      assert.equal(requests[0]?.headers['x-vault-token'], 's.x')
      assert.match(stdout, /^token_duration +∞$/m)
      assert.equal(await kept(), 's.x')
    }
    const unchecked = await runAgainst(['login', 's.y', 'lookup=false'], { env, home })
    assert.deepEqual([unchecked.code, unchecked.requests.length, await kept()], [0, 0, 's.y'])
  })

  it('prints only the token and keeps none with -token-only, and says so with -no-store', async () => {
    const words = ['login', '-method=userpass', 'username=bob', 'password=pw']
    const only = await runAgainst([...words.slice(0, 1), '-token-only', ...words.slice(1)], {
      answer: loggedIn,
      env,
      home,
    })
    assert.equal(only.stdout, 's.new')
    const unstored = await runAgainst([...words.slice(0, 1), '-no-store', ...words.slice(1)], {
      answer: loggedIn,
      env,
      home,
    })
    assert.match(unstored.stdout, /was\snot\sstored/)
    assert.doesNotMatch(unstored.stdout, /already/)
    await assert.rejects(kept())
  })

  it('says that a token in the environment comes first', async () => {
    const words = ['login', '-method=userpass', 'username=bob', 'password=pw']
    const { stdout } = await runAgainst(words, { answer: loggedIn, home })
    assert.match(stdout.replaceAll('\n', ' '), /a token is set in the environment/)
  })

  it('unwraps a wrapped login before it keeps it', async () => {
    const answer = (request: SeenRequest): FakeAnswer =>
      request.path === 'sys/wrapping/unwrap'
        ? loggedIn()
        : data(null, { wrap_info: { token: 's.w', accessor: 'a', ttl: 60 } })
    const words = ['login', '-wrap-ttl=60s', '-method=userpass', 'username=bob', 'password=pw']
    const { requests } = await runAgainst(words, { answer, env, home })
    assert.equal(requests[0]?.headers['x-vault-wrap-ttl'], '60s')
    assert.equal(requests[1]?.headers['x-vault-token'], 's.w')
    assert.equal(requests[1]?.headers['x-vault-wrap-ttl'], undefined)
    assert.equal(await kept(), 's.new')
  })

  it('sends role and token of jwt and approle as they are, files without their last newline', async () => {
    await writeFile(join(home, 'jwt'), 'a.b.c\n')
    const jwt = await runAgainst(['login', '-method=jwt', 'role=r', `jwt=@${join(home, 'jwt')}`], {
      answer: loggedIn,
      env,
      home,
    })
    assert.equal(jwt.requests[0]?.path, 'auth/jwt/login')
    assert.deepEqual(jwt.requests[0]?.body, { role: 'r', jwt: 'a.b.c' })
    const approle = await runAgainst(['login', '-method=approle', 'role_id=r', 'secret_id=s'], {
      answer: loggedIn,
      env,
      home,
    })
    assert.equal(approle.requests[0]?.path, 'auth/approle/login')
  })

  it('refuses unknown methods with 1 and wrong passwords with 2, and keeps nothing', async () => {
    const unknown = await runAgainst(['login', '-method=magic'], { env, home })
    assert.equal(unknown.code, 1)
    assert.match(unknown.stderr, /^Unknown auth method: magic\./)
    const words = ['login', '-method=userpass', 'username=bob', 'password=pw']
    const wrong = await runAgainst(words, {
      answer: () => refused(400, 'invalid username or password'),
      env,
      home,
    })
    assert.equal(wrong.code, 2)
    assert.match(
      wrong.stderr,
      /^Error authenticating: Error making API request\.[^]*\* invalid username or password\n$/,
    )
    await assert.rejects(kept())
  })

  it('shows a second factor that is asked for', async () => {
    const requirement = {
      mfa_request_id: 'id1',
      mfa_constraints: { c: { any: [{ type: 'totp', id: 'm1', uses_passcode: true, name: 'n' }] } },
    }
    const answer = (): FakeAnswer =>
      data(null, { auth: { ...auth, client_token: '', mfa_requirement: requirement } })
    const words = ['login', '-method=userpass', 'username=bob', 'password=pw']
    const { stdout } = await runAgainst(words, { answer, env, home })
    assert.match(stdout, /^mfa_request_id +id1$/m)
    assert.match(stdout, /^mfa_constraint_c_totp_id +m1$/m)
    await assert.rejects(kept())
  })
})

describe('the token', () => {
  it('comes from the environment, then from the helper', async () => {
    await writeFile(join(home, '.vault-token'), ' s.file \n')
    const token = async (set: Record<string, string>): Promise<string> =>
      (await runAgainst(['print', 'token'], { env: set, home })).stdout
    assert.equal(await token({ VAULT_TOKEN: 's.env' }), 's.env\n')
    assert.equal(await token({ VAULT_TOKEN: 's.env', BAO_TOKEN: 's.bao' }), 's.bao\n')
    assert.equal(await token({ VAULT_TOKEN: '' }), 's.file\n')
  })

  it('comes from the program that the configuration names, and goes there', async () => {
    const program = join(home, 'helper')
    await writeFile(
      program,
      `#!/bin/sh\ncase $1 in get) cat ${home}/kept 2>/dev/null || :;; store) cat > ${home}/kept;; *) exit 1;; esac\n`,
    )
    await chmod(program, 0o755)
    await writeFile(join(home, 'client.hcl'), `token_helper = "${program}"\n`)
    const world = { env: { ...env, VAULT_CONFIG_PATH: join(home, 'client.hcl') }, home }
    await runAgainst(['login', 's.h', 'lookup=false'], world)
    const printed = await runAgainst(['print', 'token'], world)
    assert.deepEqual([printed.stderr, printed.stdout], ['', 's.h\n'])
    await writeFile(join(home, 'client.hcl'), 'token_helper = "relative"\n')
    const wrong = await runAgainst(['print', 'token'], world)
    assert.equal(wrong.code, 1)
    assert.match(wrong.stderr, /must be an absolute path/)
  })

  it('comes from what npm start left in the checkout when no address is set, and stays there', async () => {
    const checkout = join(home, 'checkout')
    await mkdir(join(checkout, '.signet', 'dev'), { recursive: true })
    await writeFile(
      join(checkout, '.signet', 'dev', 'env'),
      `export VAULT_ADDR='http://127.0.0.1:1'\nexport VAULT_TOKEN='s.dev'\n`,
    )
    const world = { env, home, checkout, addressed: false }
    assert.equal((await runAgainst(['print', 'token'], world)).stdout, 's.dev\n')
    await runAgainst(['login', 's.mine', 'lookup=false'], world)
    assert.equal((await runAgainst(['print', 'token'], world)).stdout, 's.mine\n')
    await assert.rejects(kept())
    const elsewhere = await runAgainst(['print', 'token'], { env, home, checkout })
    assert.equal(elsewhere.stdout, '\n')
    const read = await runAgainst(['read', 'x'], world)
    assert.match(read.stderr, /No server at http:\/\/127\.0\.0\.1:1:/)
  })
})
