import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { signet, startServerProcess } from './support/signet.ts'

const dev = ['-dev', '-dev-root-token-id=root', '-dev-listen-address=127.0.0.1:0']
let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'signet-'))
})

afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

describe('signet server -dev', () => {
  it('prints the labels that scripts look for, stores no token, and ends with 0', async () => {
    const server = await startServerProcess(dev, 'Development mode', { HOME: folder })
    const { code, stdout } = await server.stop('SIGINT')
    assert.equal(code, 0)
    assert.match(stdout, /^==> Signet server configuration:\n\n/)
    assert.match(stdout, /^    \$ export VAULT_ADDR='http:\/\/127\.0\.0\.1:\d+'$/m)
    assert.match(stdout, /^Unseal Key: \S+=$/m)
    assert.match(stdout, /^Root Token: root$/m)
    assert.match(stdout, /^Development mode should NOT be used in production installations!$/m)
    assert.match(stdout, /==> Signet shutdown triggered\n$/)
    await assert.rejects(stat(join(folder, '.vault-token')))
  })

  it('goes on after SIGHUP', async () => {
    const server = await startServerProcess(dev, 'Development mode')
    server.signal('SIGHUP')
    await server.says('==> Signet reload triggered')
    const { code } = await signet(['status'], { VAULT_ADDR: server.address })
    assert.equal(code, 0)
    await server.stop()
  })

  it('says who holds its port', async () => {
    const holder = createServer()
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve))
    const { port } = holder.address() as AddressInfo
    const { code, stderr } = await signet([
      'server',
      '-dev',
      `-dev-listen-address=127.0.0.1:${port}`,
    ])
    holder.close()
    assert.equal(code, 1)
    assert.match(stderr, new RegExp(`${port} is in use`))
    assert.match(stderr, /-dev-listen-address/)
    if (process.platform === 'linux') assert.match(stderr, new RegExp(`by pid ${process.pid} `))
  })
})

describe('signet server -dev-folder', () => {
  const words = (): string[] => [`-dev-folder=${folder}`, '-dev-listen-address=127.0.0.1:0']

  it('keeps data, key and token between starts, for the owner alone, until it is reset', async () => {
    const first = await startServerProcess(words(), 'Ready in')
    const token = /Root Token: (\S+)/.exec(first.stdout())?.[1] ?? ''
    assert.match(first.stdout(), /Ready in \d+\.\d\d s, 0 entities\./)
    const env = { VAULT_ADDR: first.address, VAULT_TOKEN: token }
    assert.equal((await signet(['entity', 'create', 'alice'], env)).code, 0)
    const second = await signet(['server', ...words()])
    assert.equal(second.code, 1)
    assert.match(second.stderr, /^Signet is running here already: /)
    assert.equal((await first.stop()).code, 0)
    for (const name of ['env', 'keys.json', 'audit.log']) {
      assert.equal((await stat(join(folder, name))).mode & 0o077, 0, name)
    }
    assert.match(
      await readFile(join(folder, 'env'), 'utf8'),
      /^export VAULT_ADDR='http:.*'\nexport VAULT_TOKEN='/,
    )
    const again = await startServerProcess(words(), 'Ready in')
    assert.match(again.stdout(), /Ready in \d+\.\d\d s, 1 entity\./)
    assert.ok(again.stdout().includes(`Root Token: ${token}\n`))
    await again.stop()
    const reset = await startServerProcess([...words(), '-dev-reset'], 'Ready in')
    assert.match(reset.stdout(), /Ready in \d+\.\d\d s, 0 entities\./)
    assert.ok(!reset.stdout().includes(token))
    await reset.stop()
  })
})

describe('signet server -config', () => {
  it('starts sealed, is initialised and unsealed by its commands, and keeps what it has', async () => {
    const file = join(folder, 's.hcl')
    await writeFile(
      file,
      `storage "lmdb" { path = "${folder}/data" }\nlistener "tcp" { address = "127.0.0.1:0" tls_disable = true }\n`,
    )
    const server = await startServerProcess([`-config=${file}`], 'server started!')
    const address = { VAULT_ADDR: server.address }
    assert.equal((await signet(['operator', 'init', '-status'], address)).code, 2)
    const made = await signet(['operator', 'init', '-n=3', '-t=2', '-format=json'], address)
    const keys = JSON.parse(made.stdout) as { unseal_keys_b64: string[]; root_token: string }
    assert.equal((await signet(['status'], address)).code, 2)
    for (const key of keys.unseal_keys_b64.slice(1)) {
      assert.equal((await signet(['operator', 'unseal', key], address)).code, 0)
    }
    assert.equal((await signet(['status'], address)).code, 0)
    const env = { ...address, VAULT_TOKEN: keys.root_token }
    assert.equal((await signet(['secrets', 'enable', '-version=2', 'kv'], env)).code, 0)
    assert.equal((await signet(['kv', 'put', 'kv/app', 'a=1'], env)).code, 0)
    assert.equal((await signet(['kv', 'get', '-field=a', 'kv/app'], env)).stdout, '1')
    assert.equal((await signet(['operator', 'seal'], env)).code, 0)
    assert.equal((await signet(['status'], address)).code, 2)
    assert.equal((await server.stop()).code, 0)
  })

  it('is refused without a configuration, and with a wrong one', async () => {
    const none = await signet(['server'])
    assert.deepEqual(
      [none.code, none.stderr],
      [1, 'Must specify at least one config path using -config\n'],
    )
    await writeFile(join(folder, 's.hcl'), 'storage "raft" {}')
    const wrong = await signet(['server', `-config=${folder}`, '-dev-root-token-id=x'])
    assert.equal(wrong.code, 1)
    assert.match(wrong.stderr, /^You cannot specify a custom root token ID outside of "dev" mode\./)
    assert.match(wrong.stderr, /unknown storage type raft/)
  })
})
