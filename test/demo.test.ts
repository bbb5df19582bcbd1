import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { signet, startServerProcess } from './support/signet.ts'

const steps = [
  '1 Two doors.',
  '2 One person.',
  '3 She logs in through both.',
  '4 A group opens a path.',
  '5 Why?',
  '6 A group of groups.',
  "7 The company's groups.",
  '8 Take it away.',
]

describe('signet demo', () => {
  it('keeps every promise on a server in memory and removes what it made', async () => {
    const server = await startServerProcess(
      ['-dev', '-dev-root-token-id=root', '-dev-listen-address=127.0.0.1:0'],
      'Development mode',
    )
    const env = { VAULT_ADDR: server.address, VAULT_TOKEN: 'root' }
    try {
      const { code, stdout, stderr } = await signet(['demo'], env)
      assert.equal(code, 0, stderr)
      for (const step of steps) assert.ok(stdout.includes(step), step)
      assert.equal(stdout.split(' ✓').length - 1, 7)
      assert.match(stdout, /Cleaned up\./)
      const people = await signet(['list', '-format=json', 'identity/entity/name'], env)
      assert.doesNotMatch(people.stdout, /demo-/)
    } finally {
      await server.stop()
    }
  })

  it('shows who did what in the audit log of a kept server, and --keep keeps', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'signet-'))
    const server = await startServerProcess(
      [`-dev-folder=${folder}`, '-dev-root-token-id=root', '-dev-listen-address=127.0.0.1:0'],
      'Ready in',
    )
    const env = { VAULT_ADDR: server.address, VAULT_TOKEN: 'root' }
    try {
      const elsewhere = await signet(['demo'], env)
      assert.equal(elsewhere.code, 1)
      assert.match(elsewhere.stderr, /not in development mode.*-here/)
      const { code, stdout, stderr } = await signet(['demo', '--here', '--keep'], env)
      assert.equal(code, 0, stderr)
      assert.match(stdout, /^9 Who did what\. +\d+ lines of /m)
      const alice = await signet(['entity', 'read', '-field=name', 'demo-alice'], env)
      assert.equal(alice.stdout, 'demo-alice')
    } finally {
      await server.stop()
      await rm(folder, { recursive: true })
    }
  })

  it('ends with 1 when an answer is not the one it promises', async () => {
    const server = await startServerProcess(
      ['-dev', '-dev-root-token-id=root', '-dev-listen-address=127.0.0.1:0'],
      'Development mode',
    )
    try {
      const env = { VAULT_ADDR: server.address, VAULT_TOKEN: 'nobody' }
      const { code, stderr } = await signet(['demo'], env)
      assert.equal(code, 1)
      assert.match(stderr, /^The demo failed: /)
    } finally {
      await server.stop()
    }
  })
})
