import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Json } from '../src/std/json.ts'
import { createMemoryStore } from '../src/storage/memory/memory-store.ts'
import type { Node, NodeAnswer } from './support/nodes.ts'
import { startNodes } from './support/nodes.ts'
import { authenticator, requestIdOf, textOf, validate } from './support/second-factor.ts'

const INCORRECT = /MFA credentials not supplied or incorrect/

/** Two nodes over one store, bob with a password, one TOTP method that every userpass login needs. */
const setUp = async (
  t: { after(end: () => Promise<void>): void },
  method: Record<string, Json> = {},
) => {
  const clock = { now: Date.UTC(2026, 0, 2, 3, 4, 5) }
  const nodes = await startNodes(2, { store: createMemoryStore({ clock: () => clock.now }) })
  t.after(async () => {
    for (const node of nodes) await node.close()
  })
  const [one, two] = nodes as readonly [Node, Node]
  await one.write('sys/auth/userpass', { type: 'userpass' })
  await one.write('auth/userpass/users/bob', { password: 'pw' })
  const login = (node: Node, password = 'pw', user = 'bob') =>
    node.write(`auth/userpass/login/${user}`, { password }, '')
  const { entityId } = (await login(one)).auth
  const made = await one.write('identity/mfa/method/totp', {
    issuer: 'acme',
    method_name: 'app',
    ...method,
  })
  const methodId = textOf(made, 'method_id')
  const enforced = await one.write('identity/mfa/login-enforcement/all', {
    mfa_method_ids: [methodId],
    auth_method_types: ['userpass'],
  })
  assert.equal(enforced.status, 204)
  const enrol = async () => {
    const answer = await one.write('identity/mfa/method/totp/admin-generate', {
      method_id: methodId,
      entity_id: entityId,
    })
    return authenticator(answer)
  }
  /** Lets time pass, and both nodes see it. */
  const pass = async (ms: number) => {
    clock.now += ms
    for (const node of nodes) await node.read(`identity/entity/id/${entityId}`)
  }
  return { clock, one, two, login, entityId, methodId, enrol, pass }
}

const refused = (answer: NodeAnswer, status: number, text: RegExp): void => {
  assert.equal(answer.status, status, JSON.stringify(answer.errors))
  assert.match(answer.errors.join(), text)
  assert.equal(answer.auth.token, '')
}

describe('a login in two phases', () => {
  it('gives its token at validation, on whichever node, and only once', async (t) => {
    const { clock, one, two, login, entityId, methodId, enrol } = await setUp(t)
    const app = await enrol()
    const waiting = await login(one)
    assert.equal(waiting.auth.token, '')
    assert.deepEqual(waiting.requirement, {
      mfa_request_id: requestIdOf(waiting),
      mfa_constraints: {
        all: { any: [{ type: 'totp', id: methodId, uses_passcode: true, name: 'app' }] },
      },
    })
    const done = await validate(two, waiting, { [methodId]: [app.at(clock.now)] })
    assert.equal(done.status, 200)
    assert.equal(done.auth.entityId, entityId)
    const self = await one.read('auth/token/lookup-self', done.auth.token)
    assert.equal(self.data['path'], 'auth/userpass/login/bob')
    assert.equal(self.data['display_name'], 'userpass-bob')
    refused(await validate(one, waiting, { [methodId]: ['000000'] }), 400, /^invalid request ID$/)
  })

  it('takes the name of a method for its id', async (t) => {
    const { clock, two, login, enrol } = await setUp(t)
    const app = await enrol()
    const done = await validate(two, await login(two), { app: [`passcode=${app.at(clock.now)}`] })
    assert.equal(done.status, 200)
  })

  it('makes one token when it is validated on two nodes at once', async (t) => {
    const { clock, one, two, login, methodId, enrol } = await setUp(t)
    const app = await enrol()
    const waiting = await login(one)
    const payload = { [methodId]: [app.at(clock.now)] }
    const answers = await Promise.all(
      [one, two, one, two].map((node) => validate(node, waiting, payload)),
    )
    assert.equal(answers.filter(({ auth }) => auth.token !== '').length, 1)
    for (const answer of answers) if (answer.auth.token === '') assert.ok(answer.status >= 400)
  })

  it('survives a wrong passcode and lapses after five minutes', async (t) => {
    const { clock, one, two, login, methodId, enrol, pass } = await setUp(t)
    const app = await enrol()
    const waiting = await login(one)
    refused(await validate(two, waiting, { [methodId]: ['abcdef'] }), 403, INCORRECT)
    await pass(290_000)
    const late = await login(one)
    assert.equal((await validate(two, waiting, { [methodId]: [app.at(clock.now)] })).status, 200)
    await pass(305_000)
    refused(
      await validate(two, late, { [methodId]: [app.at(clock.now)] }),
      400,
      /invalid request ID/,
    )
  })

  it('ends with what let it in: a changed password, a deleted user, a moved mount, a disabled entity', async (t) => {
    const { clock, one, two, login, methodId, entityId, enrol, pass } = await setUp(t)
    const app = await enrol()
    const after = async (change: () => Promise<unknown>, status: number, text: RegExp) => {
      await pass(60_000)
      const waiting = await login(one)
      assert.notEqual(requestIdOf(waiting), '')
      await change()
      const payload = { [methodId]: [app.at(clock.now)] }
      refused(await validate(two, waiting, payload), status, text)
    }
    const unknown = /invalid request ID/
    await after(() => two.write('auth/userpass/users/bob', { password: 'pw' }), 400, unknown)
    await after(
      () => two.write(`identity/entity/id/${entityId}`, { disabled: true }),
      403,
      /permission denied/,
    )
    await two.write(`identity/entity/id/${entityId}`, { disabled: false })
    await after(() => two.delete('auth/userpass/users/bob'), 400, unknown)
    await two.write('auth/userpass/users/bob', { password: 'pw' })
    await after(() => two.delete('sys/auth/userpass'), 400, unknown)
  })

  it('does not end with the failed logins of somebody else', async (t) => {
    const { clock, one, two, login, methodId, enrol } = await setUp(t)
    const app = await enrol()
    const waiting = await login(one)
    await login(two, 'wrong')
    await login(two)
    const done = await validate(two, waiting, { [methodId]: [app.at(clock.now)] })
    assert.equal(done.status, 200)
  })

  it('spends a secret id when it begins, and ends with one that is destroyed', async (t) => {
    const { clock, one, two, methodId, pass } = await setUp(t)
    await one.write('sys/auth/approle', { type: 'approle' })
    await one.write('auth/approle/role/r', { policies: 'default' })
    await one.write('identity/mfa/login-enforcement/all', {
      mfa_method_ids: [methodId],
      auth_method_types: ['userpass', 'approle'],
    })
    const roleId = textOf(await one.read('auth/approle/role/r/role-id'), 'role_id')
    const secretId = async (uses: number) =>
      textOf(await one.write('auth/approle/role/r/secret-id', { num_uses: uses }), 'secret_id')
    const login = (node: Node, secret: string) =>
      node.write('auth/approle/login', { role_id: roleId, secret_id: secret }, '')
    await one.delete('identity/mfa/login-enforcement/all')
    const { entityId } = (await login(one, await secretId(1))).auth
    await one.write('identity/mfa/login-enforcement/all', {
      mfa_method_ids: [methodId],
      auth_method_types: ['approle'],
    })
    const app = authenticator(
      await one.write('identity/mfa/method/totp/admin-generate', {
        method_id: methodId,
        entity_id: entityId,
      }),
    )
    const once = await secretId(1)
    const waiting = await login(one, once)
    assert.equal((await login(two, once)).status, 400)
    const finish = (answer: NodeAnswer) =>
      validate(two, answer, { [methodId]: [app.at(clock.now)] })
    assert.equal((await finish(waiting)).status, 200)
    await pass(60_000)
    const several = await secretId(3)
    const other = await login(one, several)
    // Another login with it does not end this one; its destruction does.
    await login(two, several)
    assert.equal((await finish(other)).status, 200)
    await pass(60_000)
    const limited = await secretId(5)
    const last = await login(one, limited)
    await one.write('auth/approle/role/r/secret-id/destroy', { secret_id: limited })
    refused(await finish(last), 400, /invalid request ID/)
  })

  it('meets the enforcements there are at validation, not those at its beginning', async (t) => {
    const { clock, one, two, login, methodId, enrol } = await setUp(t)
    const app = await enrol()
    const waiting = await login(one)
    const more = await one.write('identity/mfa/method/totp', { issuer: 'other' })
    await one.write('identity/mfa/login-enforcement/more', {
      mfa_method_ids: [more.data['method_id']!],
      auth_method_types: ['userpass'],
    })
    const payload = { [methodId]: [app.at(clock.now)] }
    refused(await validate(two, waiting, payload), 403, /failed to satisfy enforcement more\. /)
    await one.delete('identity/mfa/login-enforcement/more')
    assert.equal((await validate(two, waiting, payload)).status, 200)
  })

  it('refuses a payload that is no map of lists', async (t) => {
    const { one, login, methodId } = await setUp(t)
    const waiting = await login(one)
    for (const sent of ['123456', 123456, null, { a: 'b' }, [123456]]) {
      refused(await validate(one, waiting, { [methodId]: sent }), 400, /^invalid mfa payload$/)
    }
    refused(await validate(one, waiting, JSON.parse('{"__proto__": ["1"]}')), 403, /failed to find/)
  })
})

describe('a login in one phase', () => {
  it('gives its token at once, by id and by name, and one answer for all that is wrong', async (t) => {
    const { clock, one, two, methodId, enrol, pass } = await setUp(t)
    const app = await enrol()
    const login = (node: Node, method: string, value: string | undefined) =>
      node.ask({
        operation: 'update',
        path: 'auth/userpass/login/bob',
        data: { password: 'pw' },
        token: '',
        mfaHeaders: [{ method, value }],
      })
    assert.notEqual((await login(one, methodId, app.at(clock.now))).auth.token, '')
    await pass(60_000)
    assert.notEqual((await login(two, 'app', `passcode=${app.at(clock.now)}`)).auth.token, '')
    const denied = /^permission denied$/
    refused(await login(one, methodId, app.at(clock.now)), 403, denied)
    refused(await login(one, methodId, undefined), 403, denied)
    refused(await login(one, 'nonsense', '123456'), 403, denied)
  })

  it('warns of a header that no enforcement wants', async (t) => {
    const { one } = await setUp(t)
    await one.delete('identity/mfa/login-enforcement/all')
    const answer = await one.ask({
      operation: 'update',
      path: 'auth/userpass/login/bob',
      data: { password: 'pw' },
      token: '',
      mfaHeaders: [{ method: 'app', value: '123456' }],
    })
    assert.notEqual(answer.auth.token, '')
    assert.deepEqual(answer.warnings, [
      'Found MFA header but failed to find MFA Enforcement Config',
    ])
  })
})

describe('a passcode', () => {
  it('is good once, however it is spelled and wherever it is sent', async (t) => {
    const { clock, one, two, login, methodId, enrol } = await setUp(t)
    const app = await enrol()
    const code = app.at(clock.now)
    const first = await login(one)
    const others = [await login(one), await login(two), await login(one), await login(two)]
    assert.equal((await validate(one, first, { [methodId]: [` ${code}`] })).status, 200)
    const spellings = [code, ` ${code} `, `passcode=${code}`, `passcode= ${code}\n`]
    for (const [index, spelling] of spellings.entries()) {
      const node = index % 2 === 0 ? two : one
      refused(await validate(node, others[index]!, { [methodId]: [spelling] }), 403, INCORRECT)
    }
  })

  it('is good once when two logins send it at once', async (t) => {
    const { clock, one, two, login, methodId, enrol } = await setUp(t)
    const app = await enrol()
    const payload = { [methodId]: [app.at(clock.now)] }
    const [a, b] = [await login(one), await login(two)]
    const answers = await Promise.all([validate(two, a, payload), validate(one, b, payload)])
    assert.equal(answers.filter(({ auth }) => auth.token !== '').length, 1)
  })

  it('of the period before counts, and only once', async (t) => {
    const { clock, one, two, login, methodId, enrol } = await setUp(t)
    const app = await enrol()
    const payload = { [methodId]: [app.at(clock.now - 30_000)] }
    assert.equal((await validate(one, await login(one), payload)).status, 200)
    refused(await validate(two, await login(two), payload), 403, INCORRECT)
    const older = { [methodId]: [app.at(clock.now - 60_000)] }
    refused(await validate(two, await login(two), older), 403, INCORRECT)
  })

  it('is one of no more guesses than the method allows, over all nodes and logins', async (t) => {
    const { clock, one, two, login, methodId, enrol, pass } = await setUp(t, {
      max_validation_attempts: 4,
    })
    const app = await enrol()
    const right = app.at(clock.now)
    const wrong = right === '000000' ? '000001' : '000000'
    const waiting = [await login(one), await login(two), await login(one)]
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        validate(index % 2 === 0 ? one : two, waiting[index % 3]!, { [methodId]: [wrong] }),
      ),
    )
    const looked = answers.filter(({ errors }) => INCORRECT.test(errors.join()))
    assert.equal(looked.length, 4)
    const limited =
      /maximum TOTP validation attempts 5 exceeded the allowed attempts 4\. Please try again in \d+s seconds/
    assert.equal(answers.filter(({ errors }) => limited.test(errors.join())).length, 8)
    refused(await validate(two, waiting[0]!, { [methodId]: [right] }), 403, limited)
    await pass(35_000)
    assert.equal(
      (await validate(two, waiting[0]!, { [methodId]: [app.at(clock.now)] })).status,
      200,
    )
  })

  it('comes alone: several in one answer are no guess at all', async (t) => {
    const { clock, one, login, methodId, enrol } = await setUp(t)
    const app = await enrol()
    const payload = { [methodId]: ['000000', app.at(clock.now)] }
    refused(await validate(one, await login(one), payload), 403, /found multiple passcodes/)
  })
})

describe('enforcements', () => {
  it('bind by mount, type, entity, group and inherited group, and all of them must be satisfied', async (t) => {
    const { clock, one, two, login, entityId, methodId, enrol } = await setUp(t)
    const app = await enrol()
    await one.delete('identity/mfa/login-enforcement/all')
    await one.write('sys/auth/second', { type: 'userpass' })
    await one.write('auth/second/users/eve', { password: 'pw' })
    const accessor = (await one.read('sys/auth/userpass')).data['accessor']!
    const inner = (await one.write('identity/group', { name: 'in', member_entity_ids: [entityId] }))
      .data['id']!
    const outer = (await one.write('identity/group', { name: 'out', member_group_ids: [inner] }))
      .data['id']!
    const eve = () => two.write('auth/second/login/eve', { password: 'pw' }, '')
    const table: readonly (readonly [Record<string, Json>, boolean, boolean])[] = [
      [{ auth_method_accessors: [accessor] }, true, false],
      [{ auth_method_types: ['userpass'] }, true, true],
      [{ identity_entity_ids: [entityId] }, true, false],
      [{ identity_group_ids: [inner] }, true, false],
      [{ identity_group_ids: [outer] }, true, false],
      [{ auth_method_types: [] }, false, false],
    ]
    for (const [targets, bob, other] of table) {
      const body = { mfa_method_ids: [methodId], ...targets }
      assert.equal((await one.write('identity/mfa/login-enforcement/e', body)).status, 204)
      assert.equal((await login(two)).auth.token === '', bob, JSON.stringify(targets))
      assert.equal((await eve()).auth.token === '', other, JSON.stringify(targets))
      await one.delete('identity/mfa/login-enforcement/e')
    }
    const second = await one.write('identity/mfa/method/totp', { issuer: 'b', digits: 8 })
    const secondId = textOf(second, 'method_id')
    const made = await one.write('identity/mfa/method/totp/admin-generate', {
      method_id: secondId,
      entity_id: entityId,
    })
    const other = authenticator(made)
    for (const [name, id] of [
      ['a', methodId],
      ['b', secondId],
    ] as const) {
      await one.write(`identity/mfa/login-enforcement/${name}`, {
        mfa_method_ids: [id],
        identity_entity_ids: [entityId],
      })
    }
    const waiting = await login(two)
    const a = { [methodId]: [app.at(clock.now)] }
    refused(await validate(one, waiting, a), 403, /failed to satisfy enforcement b\. /)
    const both = { ...a, [secondId]: [other.at(clock.now)] }
    assert.equal((await validate(two, waiting, both)).status, 200)
  })

  it('still bind an entity after it was merged into another', async (t) => {
    const { one, login, entityId, methodId } = await setUp(t)
    await one.write('identity/mfa/login-enforcement/all', {
      mfa_method_ids: [methodId],
      auth_method_types: [],
      identity_entity_ids: [entityId],
    })
    const to = (await one.write('identity/entity', { name: 'survivor' })).data['id']!
    await one.write('identity/entity/merge', { to_entity_id: to, from_entity_ids: [entityId] })
    assert.notEqual(requestIdOf(await login(one)), '')
  })

  it('are satisfied by any one of their methods', async (t) => {
    const { clock, one, login, methodId, enrol } = await setUp(t)
    const app = await enrol()
    const other = await one.write('identity/mfa/method/totp', { issuer: 'b' })
    await one.write('identity/mfa/login-enforcement/all', {
      mfa_method_ids: [other.data['method_id']!, methodId],
      auth_method_types: ['userpass'],
    })
    const payload = { [textOf(other, 'method_id')]: ['123456'], app: [app.at(clock.now)] }
    assert.equal((await validate(one, await login(one), payload)).status, 200)
  })
})

describe('secrets', () => {
  it('go with the entity into a merge, are refused in conflict, and end with it', async (t) => {
    const { clock, one, two, login, entityId, methodId, enrol } = await setUp(t)
    const app = await enrol()
    const to = textOf(await one.write('identity/entity', { name: 'survivor' }), 'id')
    const generate = { method_id: methodId, entity_id: to }
    const own = authenticator(await one.write('identity/mfa/method/totp/admin-generate', generate))
    const merge = { to_entity_id: to, from_entity_ids: [entityId] }
    const conflict = await one.write('identity/entity/merge', merge)
    assert.equal(conflict.status, 500)
    assert.match(
      conflict.errors.join(),
      /conflicting MFA config ID "[0-9a-f-]+" in entity ID "[0-9a-f-]+"/,
    )
    await one.write('identity/mfa/method/totp/admin-destroy', generate)
    assert.equal((await one.write('identity/entity/merge', merge)).status, 204)
    const waiting = await login(two)
    refused(await validate(two, waiting, { [methodId]: [own.at(clock.now)] }), 403, INCORRECT)
    assert.equal((await validate(two, waiting, { [methodId]: [app.at(clock.now)] })).status, 200)
    await one.delete(`identity/entity/id/${to}`)
    const anew = await login(two)
    refused(
      await validate(two, anew, { [methodId]: [app.at(clock.now)] }),
      403,
      /not present in entity/,
    )
  })

  it('have a QR code of the width asked for', async (t) => {
    const { one, entityId } = await setUp(t)
    const made = await one.write('identity/mfa/method/totp', {
      issuer: 'Köln & (co)',
      qr_size: 300,
    })
    const answer = await one.write('identity/mfa/method/totp/admin-generate', {
      method_id: made.data['method_id']!,
      entity_id: entityId,
    })
    const image = Buffer.from(textOf(answer, 'barcode'), 'base64')
    assert.equal(image.subarray(1, 4).toString(), 'PNG')
    assert.equal(image.readUInt32BE(16), 300)
    const url = new URL(textOf(answer, 'url'))
    assert.equal(url.searchParams.get('issuer'), 'Köln & (co)')
    assert.equal(decodeURIComponent(url.pathname), `/Köln & (co):${entityId}`)
  })
})

describe('self-enrolment', () => {
  const enroll = (node: Node, methodId: string, requestId: string) =>
    node.write(
      'identity/mfa/method/totp/self-enroll',
      { mfa_method_id: methodId, mfa_request_id: requestId },
      '',
    )

  it('makes a secret in a waiting login, which counts from its first passcode on', async (t) => {
    const { clock, one, two, login, methodId, pass } = await setUp(t, {
      enable_self_enrollment: true,
    })
    const waiting = await login(one)
    const any = { type: 'totp', id: methodId, uses_passcode: true, name: 'app' }
    assert.deepEqual((waiting.requirement as { readonly mfa_constraints: Json }).mfa_constraints, {
      all: { any: [{ ...any, self_enrollment_enabled: true }] },
    })
    const answer = await enroll(two, methodId, requestIdOf(waiting))
    const app = authenticator(answer)
    const elsewhere = await login(one)
    const payload = { [methodId]: [app.at(clock.now)] }
    refused(await validate(one, elsewhere, payload), 403, /not present in entity/)
    refused(await validate(one, waiting, { [methodId]: ['abcdef'] }), 403, INCORRECT)
    assert.equal((await validate(one, waiting, payload)).status, 200)
    refused(await validate(two, elsewhere, payload), 403, INCORRECT)
    await pass(35_000)
    const next = await login(two)
    assert.deepEqual((next.requirement as { readonly mfa_constraints: Json }).mfa_constraints, {
      all: { any: [any] },
    })
    assert.equal((await validate(two, next, { [methodId]: [app.at(clock.now)] })).status, 200)
  })

  it('never replaces a factor, and is off unless the method allows it', async (t) => {
    const { clock, one, two, login, methodId, enrol } = await setUp(t)
    refused(await enroll(one, methodId, requestIdOf(await login(one))), 400, /not enabled/)
    await one.write(`identity/mfa/method/totp/${methodId}`, {
      issuer: 'acme',
      enable_self_enrollment: true,
    })
    const [first, second] = [await login(one), await login(two)]
    const stolen = authenticator(await enroll(one, methodId, requestIdOf(first)))
    const app = await enrol()
    // The administrator was faster: what the waiting login made never becomes the entity's secret.
    refused(await validate(one, first, { [methodId]: [stolen.at(clock.now)] }), 403, INCORRECT)
    refused(await enroll(two, methodId, requestIdOf(second)), 400, /already has a secret/)
    refused(await enroll(two, methodId, requestIdOf(await login(two))), 400, /already has a secret/)
    assert.equal((await validate(two, second, { [methodId]: [app.at(clock.now)] })).status, 200)
  })

  it('needs a waiting login that was offered this method', async (t) => {
    const { one, login, methodId, pass } = await setUp(t, { enable_self_enrollment: true })
    const other = await one.write('identity/mfa/method/totp', {
      issuer: 'b',
      enable_self_enrollment: true,
    })
    const waiting = requestIdOf(await login(one))
    refused(await enroll(one, textOf(other, 'method_id'), waiting), 400, /not offered/)
    refused(await enroll(one, methodId, 'none'), 400, /invalid request ID/)
    refused(
      await enroll(one, 'none', waiting),
      400,
      /configuration for method ID "none" does not exist/,
    )
    refused(await enroll(one, methodId, ''), 400, /missing request ID/)
    refused(await enroll(one, '', waiting), 400, /missing method ID/)
    await pass(305_000)
    refused(await enroll(one, methodId, waiting), 400, /invalid request ID/)
  })

  it('of two waiting logins, one wins', async (t) => {
    const { clock, one, two, login, methodId } = await setUp(t, { enable_self_enrollment: true })
    const [a, b] = [await login(one), await login(two)]
    const appA = authenticator(await enroll(one, methodId, requestIdOf(a)))
    const appB = authenticator(await enroll(two, methodId, requestIdOf(b)))
    const answers = await Promise.all([
      validate(two, a, { [methodId]: [appA.at(clock.now)] }),
      validate(one, b, { [methodId]: [appB.at(clock.now)] }),
    ])
    assert.equal(answers.filter(({ auth }) => auth.token !== '').length, 1)
  })
})

describe('backup codes', () => {
  it('are ten, each good once in the place of a passcode, and counted down', async (t) => {
    const { one, two, login, entityId, methodId, enrol } = await setUp(t)
    const whom = { method_id: methodId, entity_id: entityId }
    const path = 'identity/mfa/method/totp/admin-backup-codes'
    assert.equal((await one.write(path, whom)).status, 400)
    await enrol()
    const made = (await one.write(path, whom)).data['backup_codes'] as readonly string[]
    assert.equal(new Set(made).size, 10)
    const use = async (node: Node, code: string) =>
      validate(node, await login(node), { [methodId]: [code] })
    const used = await use(two, made[0]!.toUpperCase().replace('-', ''))
    assert.notEqual(used.auth.token, '')
    assert.deepEqual(used.warnings, ['A backup code was used up; 9 are left.'])
    for (const spelling of [made[0]!, made[0]!.toUpperCase(), ` ${made[0]!.replace('-', ' ')}`]) {
      refused(await use(one, spelling), 403, INCORRECT)
    }
    const count = await one.ask({ path, data: whom })
    assert.deepEqual(count.data, { remaining: 9 })
    const [a, b] = [await login(one), await login(two)]
    const race = await Promise.all([
      validate(one, a, { [methodId]: [made[1]!] }),
      validate(two, b, { [methodId]: [made[1]!] }),
    ])
    assert.equal(race.filter(({ auth }) => auth.token !== '').length, 1)
    const anew = (await two.write(path, whom)).data['backup_codes'] as readonly string[]
    refused(await use(one, made[2]!), 403, INCORRECT)
    assert.notEqual((await use(one, anew[2]!)).auth.token, '')
  })
})
