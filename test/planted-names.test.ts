import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import type { Json } from '../src/std/json.ts'
import { openLmdbStore } from '../src/storage/lmdb/lmdb-store.ts'
import { startNodes } from './support/nodes.ts'

/* Whoever has the disk learns no name from it: neither in a key nor in a value (architecture.md F3, settled.md 12). */

const PLANTED = {
  entity: 'Plantedentity Zaphod',
  user: 'planteduser.trillian',
  alias: 'planted-alias@marvin.example',
  group: 'planted-group-heartofgold',
  groupAlias: 'planted-claim-vogons',
  policy: 'planted-policy-slartibartfast',
  mount: 'planted-mount-magrathea',
  secretPath: 'planted/secret/path/deepthought',
  secretValue: 'planted-value-fortytwo',
  metadata: 'planted-metadata-babelfish',
  password: 'planted-password-dontpanic',
  role: 'planted-role-eddie',
  tokenName: 'planted-display-agrajag',
}

it('no name, path, secret or password stands in the data file in clear', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'signet-planted-'))
  const store = openLmdbStore({ path: folder })
  const tokens: string[] = []
  try {
    const [node] = await startNodes(1, { store })
    const write = async (path: string, data: Readonly<Record<string, Json>> = {}) => {
      const answer = await node!.write(path, data)
      assert.ok(answer.status < 300, `${path}: ${answer.errors.join()}`)
      return answer
    }
    const p = PLANTED
    await write(`sys/mounts/${p.mount}`, { type: 'kv' })
    await write(`sys/auth/${p.mount}`, { type: 'userpass' })
    await write('sys/auth/planted', { type: 'approle' })
    await write(`auth/planted/role/${p.role}`, { token_policies: p.policy })
    await write(`sys/policies/acl/${p.policy}`, {
      policy: `path "${p.mount}/*" { capabilities = ["read"] }`,
    })
    await write(`auth/${p.mount}/users/${p.user}`, {
      password: p.password,
      token_policies: p.policy,
    })
    const login = await node!.ask({
      operation: 'update',
      path: `auth/${p.mount}/login/${p.user}`,
      data: { password: p.password },
      token: '',
    })
    tokens.push(login.auth.token, login.auth.accessor)
    const entity = await write('identity/entity', {
      name: p.entity,
      metadata: { planted: p.metadata },
    })
    const mounts = await node!.read('sys/auth')
    const accessor = (mounts.data[`${p.mount}/`] as { readonly accessor: string }).accessor
    await write('identity/entity-alias', {
      name: p.alias,
      canonical_id: entity.data['id']!,
      mount_accessor: accessor,
    })
    await write('identity/group', { name: p.group, member_entity_ids: [entity.data['id']!] })
    await write('identity/group-alias', { name: p.groupAlias, mount_accessor: accessor })
    await write(`${p.mount}/${p.secretPath}`, { value: p.secretValue })
    const made = await write('auth/token/create', { display_name: p.tokenName })
    tokens.push(made.auth.token, made.auth.accessor)
    await node!.close()
  } finally {
    await store.close()
  }
  const bytes = Buffer.concat(
    readdirSync(folder)
      .filter((name) => name.endsWith('.mdb'))
      .map((name) => readFileSync(join(folder, name))),
  )
  assert.ok(bytes.length > 50_000, 'there is data to search')
  const texts = [...Object.values(PLANTED), ...PLANTED.secretPath.split('/').slice(-1), ...tokens]
  for (const text of texts) {
    for (const form of [
      text,
      text.toLowerCase(),
      Buffer.from(text).toString('base64').slice(0, -4),
    ]) {
      assert.equal(bytes.indexOf(form), -1, `${text} stands in the data file`)
    }
  }
  rmSync(folder, { recursive: true, force: true })
})
