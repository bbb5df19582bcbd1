import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { CommandIo } from '../src/cli/io.ts'
import { runCommandLine } from '../src/cli/run.ts'
import type { TestServer } from './support/server.ts'
import { startTestServer } from './support/server.ts'

/* Whole servers and the command line, in this process: lines on their way out of one and into another. */

const folder = mkdtempSync(join(tmpdir(), 'signet-transfer-'))
const audit = join(folder, 'audit.log')
let source: TestServer
let target: TestServer

before(async () => {
  source = await startTestServer({
    configure: (config) => ({ ...config, allowApiAuditCreation: true }),
  })
  target = await startTestServer({
    configure: (config) => ({ ...config, allowApiAuditCreation: true }),
  })
})
after(async () => {
  await source.stop()
  await target.stop()
  rmSync(folder, { recursive: true, force: true })
})

const urlOf = ({ port }: TestServer): string => `http://127.0.0.1:${port}`

const ask = async (
  server: TestServer,
  method: string,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly json: any; readonly text: string }> => {
  const answer = await fetch(`${urlOf(server)}/v1/${path}`, {
    method,
    headers: { 'X-Vault-Token': 'root', ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await answer.text()
  return {
    status: answer.status,
    text,
    json: text.startsWith('{') ? JSON.parse(text.split('\n')[0]!) : {},
  }
}

const lines = (body: string) =>
  ask(target, 'POST', 'identity/import', body, { 'Content-Type': 'application/x-ndjson' })

const signet = async (
  server: TestServer,
  words: readonly string[],
  env: Record<string, string> = {},
  isTTY = false,
) => {
  let stdout = ''
  let stderr = ''
  const io: CommandIo = {
    stdout: { isTTY: false, write: (text) => (stdout += text) },
    stderr: { isTTY, write: (text) => (stderr += text) },
    env: { VAULT_ADDR: urlOf(server), VAULT_TOKEN: 'root', ...env },
    home: '/nonexistent',
    checkout: '/nonexistent',
    readStdin: async () => '',
    promptHidden: async () => undefined,
  }
  const code = await runCommandLine(words, io)
  return { code, stdout, stderr }
}

const populate = async (server: TestServer): Promise<void> => {
  await ask(server, 'POST', 'sys/auth/people', { type: 'userpass' })
  await ask(server, 'POST', 'auth/people/users/alice', { password: 'pw', policies: 'readers' })
  await ask(server, 'POST', 'auth/people/login/alice', { password: 'pw' })
  await ask(server, 'POST', 'sys/policies/acl/readers', {
    policy: 'path "secret/*" { capabilities = ["read"] }',
  })
  await ask(server, 'POST', 'sys/auth/machines', { type: 'approle', description: 'robots' })
  await ask(server, 'POST', 'auth/machines/role/ci', {})
  const entities = await ask(server, 'GET', 'identity/entity/id?list=true')
  const [id] = entities.json.data.keys
  await ask(server, 'POST', `identity/entity/id/${id}`, { name: 'alice', metadata: { team: 'x' } })
  const group = await ask(server, 'POST', 'identity/group', {
    name: 'eng',
    policies: 'readers',
    member_entity_ids: [id],
  })
  await ask(server, 'POST', 'identity/group', {
    name: 'staff',
    member_group_ids: [group.json.data.id],
  })
  const made = Array.from({ length: 300 }, (_, nr) =>
    JSON.stringify({ type: 'entity', name: `bulk${nr}` }),
  )
  const { json } = await ask(server, 'POST', 'identity/import', made.join('\n'), {
    'Content-Type': 'application/x-ndjson; charset=utf-8',
  })
  assert.equal(json.data.created, 300)
}

describe('identity over HTTP and the command line', { concurrency: false }, () => {
  it('takes what another running server has, but no secrets, and says what it could not take', async () => {
    await populate(source)
    const env = { SIGNET_SOURCE_TOKEN: 'root' }
    const words = ['import', `-from-vault=${urlOf(source)}`]
    const dry = await signet(target, [...words, '-dry-run'], env)
    assert.equal(dry.code, 0, dry.stderr)
    assert.match(dry.stdout, /Would enable userpass at auth\/people\//)
    assert.match(dry.stdout, /Nothing was changed\. An import of 306 lines: 306 created, 0 updated/)
    assert.equal((await ask(target, 'GET', 'identity/entity/id?list=true')).status, 404)

    const { code, stdout, stderr } = await signet(target, words, env)
    assert.equal(code, 0, stderr)
    assert.match(stdout, /Enabled userpass at auth\/people\//)
    assert.match(stdout, /Wrote the policy readers/)
    assert.match(
      stdout,
      /Not taken: users \(their passwords are not read\) of auth\/people\/: alice/,
    )
    assert.match(
      stdout,
      /Not taken: roles \(their secret ids are not read\) of auth\/machines\/: ci/,
    )
    assert.match(stdout, /Imported 306 lines: 306 created, 0 updated, 0 unchanged, 0 refused/)
    const before = await ask(source, 'GET', 'identity/entity/name/alice')
    const there = await ask(target, 'GET', 'identity/entity/name/alice')
    assert.equal(there.json.data.id, before.json.data.id)
    await ask(target, 'POST', 'auth/people/users/alice', { password: 'pw' })
    const login = await ask(target, 'POST', 'auth/people/login/alice', { password: 'pw' })
    assert.equal(login.json.auth.entity_id, before.json.data.id)
    assert.deepEqual(login.json.auth.identity_policies, ['readers'])

    const again = await signet(target, words, env)
    assert.match(again.stdout, /0 created, 0 updated, 306 unchanged, 0 refused/)
  })

  it('exports to a file what an import takes in again, with a bar on a terminal', async () => {
    const file = join(folder, 'identity.ndjson')
    const out = await signet(target, ['export', '-output', file], {}, true)
    assert.equal(out.stdout, `Success! Exported 306 lines to ${file}\n`)
    assert.match(out.stderr, /306 lines/)
    const printed = await signet(target, ['export'])
    assert.equal(printed.stdout, readFileSync(file, 'utf8'))
    const again = await signet(target, ['import', file], {}, true)
    assert.match(again.stdout, /Imported 306 lines: 0 created, 0 updated, 306 unchanged/)
    assert.match(again.stderr, /\[#{30}\] 100%/)
  })

  it('ends with 2 and names the lines that were refused', async () => {
    const file = join(folder, 'bad.ndjson')
    writeFileSync(
      file,
      '{"type":"entity","name":"bad","policies":["root"]}\n{"type":"entity","name":"fine"}\n',
    )
    const { code, stdout, stderr } = await signet(target, ['import', file])
    assert.equal(code, 2)
    assert.equal(stderr, 'line 1 refused: policies cannot contain root\n')
    assert.match(stdout, /1 created, 0 updated, 0 unchanged, 1 refused/)
    const json = JSON.parse((await signet(target, ['import', '-format=json', file])).stdout)
    assert.deepEqual([json.unchanged, json.remarks[0].line], [1, 1])
  })

  it('names a torn line before anything is sent', async () => {
    const file = join(folder, 'torn.ndjson')
    writeFileSync(file, '{"type":"entity","name":"torn1"}\n{"type":"entity","na')
    const { code, stderr } = await signet(target, ['import', file])
    assert.equal(code, 1)
    assert.match(
      stderr,
      /line 2 of .*torn\.ndjson is no JSON object, perhaps torn: nothing was imported/,
    )
    assert.equal((await ask(target, 'GET', 'identity/entity/name/torn1')).status, 404)
  })

  it('refuses lines where an object is wanted, and an object where lines are', async () => {
    const text = '{"type":"entity","name":"x"}\n'
    const type = { 'Content-Type': 'application/x-ndjson' }
    const entity = await ask(target, 'POST', 'identity/entity', text, type)
    assert.deepEqual(
      [entity.status, entity.json.errors],
      [415, ['this path takes JSON, not application/x-ndjson']],
    )
    const json = await ask(target, 'POST', 'identity/import', { type: 'entity' })
    assert.deepEqual(
      [json.status, json.json.errors],
      [415, ['send the lines with Content-Type: application/x-ndjson']],
    )
    const torn = await lines('{"a"')
    assert.deepEqual(
      [torn.status, torn.json.errors],
      [400, ['line 1 is no JSON object, perhaps torn: nothing was imported']],
    )
    const bad = await ask(target, 'POST', 'identity/import?conflict=all', text, type)
    assert.equal(bad.status, 400)
  })

  it('is denied to those whose policy does not name it', async () => {
    const token = await ask(target, 'POST', 'auth/token/create', { policies: ['default'] })
    const headers = { 'X-Vault-Token': token.json.auth.client_token }
    assert.equal((await ask(target, 'GET', 'identity/export', undefined, headers)).status, 403)
    const type = { ...headers, 'Content-Type': 'application/x-ndjson' }
    for (const path of ['identity/import', 'identity/import/check']) {
      assert.equal(
        (await ask(target, 'POST', path, '{"type":"entity","name":"y"}', type)).status,
        403,
      )
    }
  })

  it('audits counts and a digest once, and no line', async () => {
    await ask(target, 'POST', 'sys/audit/file', {
      type: 'file',
      options: { file_path: audit, log_raw: 'true' },
    })
    await lines('{"type":"entity","name":"secretly"}\n')
    const out = await ask(target, 'GET', 'identity/export')
    const written = readFileSync(audit, 'utf8')
    assert.ok(!written.includes('secretly'))
    const entries = written
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
      .filter(
        ({ type, request }) => type === 'response' && /identity\/(im|ex)port/.test(request.path),
      )
    assert.deepEqual(
      entries.map(({ response }) => [response.data.lines, response.data.digest.slice(0, 7)]),
      [
        [1, 'sha256:'],
        [out.text.split('\n').length - 1, 'sha256:'],
      ],
    )
  })
})
