import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startTestServer } from './support/server.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

/** The commands of docs/quickstart.md that talk to the running server. */
const commands = (): string => {
  const page = readFileSync(join(root, 'docs/quickstart.md'), 'utf8')
  const part = page.slice(page.indexOf('## A person'), page.indexOf('## A server'))
  return [...part.matchAll(/^```\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block).join('\n')
}

it('docs/quickstart.md does what it says, command by command', async () => {
  const server = await startTestServer()
  const home = mkdtempSync(join(tmpdir(), 'signet-home-'))
  try {
    const { stdout, stderr } = await promisify(execFile)(
      'bash',
      ['-c', `trap 'echo "failed: $BASH_COMMAND"' ERR\n${commands()}`],
      {
        cwd: root,
        env: {
          PATH: process.env['PATH'],
          HOME: home,
          VAULT_ADDR: `http://127.0.0.1:${server.port}`,
          VAULT_TOKEN: server.rootToken,
        },
      },
    )
    // The one that fails does so before Alice is in the group; nothing is read until then.
    const failed = stdout.split('\n').filter((line) => line.startsWith('failed: '))
    assert.deepEqual(
      failed,
      ['failed: VAULT_TOKEN=$TOKEN bin/signet kv get secret/engineering/db'],
      stderr,
    )
    assert.equal(stdout.split('hunter2').length, 2)
    assert.equal(stdout.split('alice.smith@staff').length, 3)
  } finally {
    rmSync(home, { recursive: true })
    await server.stop()
  }
})
