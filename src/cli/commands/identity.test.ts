import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { FakeAnswer, SeenRequest } from '../fake-api.ts'
import { data, nothing, refused, runAgainst } from '../fake-api.ts'

const ALICE = '11111111-1111-1111-1111-111111111111'
const BOB = '22222222-2222-2222-2222-222222222222'
const ENG = '33333333-3333-3333-3333-333333333333'

type FakeEntity = {
  id: string
  name: string
  policies: string[]
  aliases: object[]
  metadata: object | null
}

/** Two people, one group and one auth method; just enough of the identity engine for the commands. */
class FakeIdentity {
  readonly entities: FakeEntity[] = [
    { id: ALICE, name: 'alice', policies: [], aliases: [], metadata: { dept: 'it' } },
    { id: BOB, name: 'bob', policies: [], aliases: [], metadata: null },
  ]
  group = { id: ENG, name: 'eng', type: 'internal', modify_index: 1, member_entity_ids: [ALICE] }
  /** Changes single members, as newer servers do. */
  single: ((request: SeenRequest) => FakeAnswer) | undefined
  /** Runs before a write of the group is applied: somebody else's doing. */
  beforeWrite: (() => void) | undefined
  /** Runs after it. */
  afterWrite: (() => void) | undefined

  setMembers(ids: string[]): void {
    this.group = {
      ...this.group,
      member_entity_ids: ids,
      modify_index: this.group.modify_index + 1,
    }
  }

  readonly answer = (request: SeenRequest): FakeAnswer => {
    const { method, path } = request
    const body = (request.body ?? {}) as Record<string, unknown>
    if (path.startsWith('identity/group-member/')) {
      return this.single?.(request) ?? refused(404, '1 error occurred:\n\t* unsupported path\n\n')
    }
    if (path === 'sys/auth') return data({ 'userpass/': { accessor: 'auth_userpass_1' } })
    if (path === 'identity/lookup/entity') {
      const owner = this.entities.find((each) =>
        each.aliases.some((alias) => (alias as { name: string }).name === body['alias_name']),
      )
      return owner === undefined ? nothing : data(owner)
    }
    if (path === 'identity/entity/merge') return nothing
    if (path === 'identity/entity-alias')
      return data({ id: 'alias-1', canonical_id: body['canonical_id'] })
    const [, kind = '', by = '', word = ''] = /^identity\/(\w+)(?:\/(\w+)\/(.*))?$/.exec(path) ?? []
    if (method === 'POST' && by === '') return data({ id: 'new-id', name: body['name'] })
    if (kind === 'group') {
      const found = word === (by === 'id' ? this.group.id : this.group.name)
      if (!found) return refused(404)
      if (method === 'GET') return data(this.group)
      this.beforeWrite?.()
      this.setMembers(body['member_entity_ids'] as string[])
      this.afterWrite?.()
      return nothing
    }
    const entity = this.entities.find((each) => each[by as 'id' | 'name'] === word)
    if (method === 'GET') return entity === undefined ? refused(404) : data(entity)
    return nothing
  }
}

describe('entity', () => {
  it('is found by name or id, changed by id, and never created by an update', async () => {
    const { answer } = new FakeIdentity()
    const update = await runAgainst(
      ['entity', 'update', 'alice', '-policy=a,b', '-metadata=team=x'],
      { answer },
    )
    assert.equal(update.code, 0)
    const write = update.requests.at(-1)
    assert.deepEqual([write?.method, write?.path], ['POST', `identity/entity/id/${ALICE}`])
    assert.deepEqual(write?.body, { policies: ['a', 'b'], metadata: { dept: 'it', team: 'x' } })
    const typo = await runAgainst(['entity', 'update', '-policy=a', 'alcie'], { answer })
    assert.deepEqual([typo.code, typo.stderr], [2, 'No entity named "alcie"\n'])
    assert.ok(typo.requests.every((each) => each.method === 'GET'))
    const byId = await runAgainst(['entity', 'disable', BOB], { answer })
    assert.deepEqual(byId.requests.at(-1)?.body, { disabled: true })
    assert.equal(byId.stdout, `Success! Disabled the entity bob (${BOB})\n`)
    const nothingToDo = await runAgainst(['entity', 'update', 'alice'], { answer })
    assert.equal(nothingToDo.code, 1)
  })

  it('is created once: one of that name stays as it is', async () => {
    const { answer } = new FakeIdentity()
    const made = await runAgainst(['entity', 'create', '-field=id', 'carol'], { answer })
    assert.deepEqual([made.code, made.stdout], [0, 'new-id'])
    const twice = await runAgainst(['entity', 'create', 'alice'], { answer })
    assert.equal(twice.code, 2)
    assert.ok(twice.requests.every((each) => each.method === 'GET'))
    const raced = await runAgainst(['entity', 'create', 'carol'], {
      answer: (request) => (request.method === 'POST' ? nothing : answer(request)),
    })
    assert.equal(raced.code, 2)
    assert.match(raced.stderr, /at the same moment/)
  })
})

describe('alias link', () => {
  const words = ['alias', 'link', 'alice', 'a.smith@corp@userpass']
  const alias = {
    name: 'a.smith@corp',
    mount_accessor: 'auth_userpass_1',
    mount_path: 'auth/userpass/',
  }

  it('links an account that nobody has, by the mount it names', async () => {
    const { answer } = new FakeIdentity()
    const { code, requests, stdout } = await runAgainst(words, { answer })
    assert.equal(code, 0)
    assert.deepEqual(requests.at(-1)?.body, {
      name: 'a.smith@corp',
      mount_accessor: 'auth_userpass_1',
      canonical_id: ALICE,
    })
    assert.match(stdout, /^outcome +linked$/m)
  })

  it('merges the entity that a login made, and says so', async () => {
    const identity = new FakeIdentity()
    identity.entities.push({
      id: 'f1',
      name: 'entity_1',
      policies: [],
      aliases: [alias],
      metadata: null,
    })
    const { code, requests, stdout } = await runAgainst(words, { answer: identity.answer })
    assert.equal(code, 0)
    assert.equal(requests.at(-1)?.path, 'identity/entity/merge')
    assert.deepEqual(requests.at(-1)?.body, { from_entity_ids: ['f1'], to_entity_id: ALICE })
    assert.match(stdout, /merged: the entity entity_1 \(f1\) is gone/)
  })

  it('does not swallow somebody with accounts or policies unless told to', async () => {
    const identity = new FakeIdentity()
    const other = { name: 'bob', mount_accessor: 'auth_ldap_1', mount_path: 'auth/ldap/' }
    identity.entities.push({
      id: 'f1',
      name: 'bo',
      policies: ['p2'],
      aliases: [alias, other],
      metadata: null,
    })
    const asked = await runAgainst(words, { answer: identity.answer })
    assert.equal(asked.code, 2)
    assert.match(asked.stderr, /bob@ldap go along and its policies p2 are lost\. Say -merge/)
    assert.ok(asked.requests.every((each) => each.path !== 'identity/entity/merge'))
    const told = await runAgainst([...words, '-merge'], { answer: identity.answer })
    assert.equal(told.code, 0)
  })

  it('has nothing to do twice, and refuses a second account at a mount', async () => {
    const identity = new FakeIdentity()
    identity.entities[0]?.aliases.push(alias)
    const twice = await runAgainst(words, { answer: identity.answer })
    assert.match(twice.stdout, /^outcome +linked already$/m)
    const second = await runAgainst(['alias', 'link', 'alice', 'other@userpass'], {
      answer: identity.answer,
    })
    assert.equal(second.code, 2)
    assert.match(second.stderr, /has the account a\.smith@corp@userpass already/)
  })

  it('names the mounts there are, and refuses what is no account', async () => {
    const { answer } = new FakeIdentity()
    const mount = await runAgainst(['alias', 'link', 'alice', 'x@nope'], { answer })
    assert.deepEqual(
      [mount.code, mount.stderr],
      [2, 'No auth method at nope/; there are userpass/\n'],
    )
    assert.equal((await runAgainst(['alias', 'link', 'alice', 'x'], { answer })).code, 1)
  })
})

describe('group', () => {
  it('adds and removes by name and keeps everybody else', async () => {
    const identity = new FakeIdentity()
    const added = await runAgainst(['group', 'add', 'eng', 'bob', 'alice'], {
      answer: identity.answer,
    })
    assert.equal(added.stdout, 'Success! Added to eng: bob\nIn eng already: alice\n')
    assert.deepEqual(identity.group.member_entity_ids, [ALICE, BOB])
    const removed = await runAgainst(['group', 'remove', ENG, ALICE], { answer: identity.answer })
    assert.equal(removed.code, 0)
    assert.deepEqual(identity.group.member_entity_ids, [BOB])
    const typo = await runAgainst(['group', 'add', 'eng', 'bbo'], { answer: identity.answer })
    assert.deepEqual([typo.code, typo.stderr], [2, 'No entity named "bbo"\n'])
    assert.deepEqual(identity.group.member_entity_ids, [BOB])
  })

  it('writes nothing when there is nothing to do', async () => {
    const identity = new FakeIdentity()
    const { code, requests } = await runAgainst(['group', 'add', 'eng', 'alice'], {
      answer: identity.answer,
    })
    assert.equal(code, 0)
    assert.deepEqual(
      requests.filter((each) => each.method !== 'GET').map((each) => each.path),
      ['identity/group-member/name/eng'],
    )
  })

  it('adds for a time and removes in one request where the server can', async () => {
    const identity = new FakeIdentity()
    const alice = { type: 'entity', id: ALICE, name: 'alice' }
    identity.single = ({ method }) =>
      method === 'POST'
        ? data({
            group_name: 'eng',
            added: [{ ...alice, expire_time: '2030-01-01T00:00:00Z' }],
            updated: [],
            unchanged: [{ type: 'entity', id: BOB, name: 'bob', expire_time: null }],
          })
        : data({ group_name: 'eng', removed: [alice], absent: [] })
    const words = ['group', 'add', 'eng', 'alice', BOB, '-ttl', '8h', '-reason', 'INC-42']
    const added = await runAgainst(words, { answer: identity.answer })
    assert.equal(
      added.stdout,
      'Success! Added to eng: alice (until 2030-01-01T00:00:00Z)\nIn eng already: bob\n',
    )
    assert.equal(added.requests.length, 1)
    assert.deepEqual(added.requests[0]?.body, {
      entity_ids: [BOB],
      entity_names: ['alice'],
      ttl: '8h',
      reason: 'INC-42',
    })
    const removed = await runAgainst(['group', 'remove', ENG, 'alice'], { answer: identity.answer })
    assert.equal(removed.stdout, 'Success! Removed from eng: alice\n')
    assert.deepEqual(
      removed.requests.map(({ method, path }) => `${method} ${path}`),
      [`DELETE identity/group-member/id/${ENG}?entity_names=alice`],
    )
  })

  it('refuses an end where the server knows none, and tells what it refuses', async () => {
    const identity = new FakeIdentity()
    const ttl = ['group', 'add', 'eng', 'bob', '-ttl', '8h']
    const old = await runAgainst(ttl, { answer: identity.answer })
    assert.equal(old.code, 2)
    assert.match(old.stderr, /This server has no memberships with an end/)
    identity.single = () => refused(400, 'no entity named "bbo"')
    const typo = await runAgainst(['group', 'add', 'eng', 'bbo'], { answer: identity.answer })
    assert.equal(typo.code, 2)
    assert.match(typo.stderr, /\* no entity named "bbo"/)
    assert.deepEqual(identity.group.member_entity_ids, [ALICE])
  })

  it('starts over when somebody else rewrote the list after it', async () => {
    const identity = new FakeIdentity()
    let times = 0
    identity.afterWrite = () => {
      if (times++ === 0) identity.setMembers([ALICE, 'x'])
    }
    const { code } = await runAgainst(['group', 'add', 'eng', 'bob'], { answer: identity.answer })
    assert.equal(code, 0)
    assert.deepEqual(identity.group.member_entity_ids, [ALICE, 'x', BOB])
  })

  it('says that it may have replaced what somebody else wrote before it', async () => {
    const identity = new FakeIdentity()
    identity.beforeWrite = () => identity.setMembers([ALICE, 'x'])
    const { code, stderr } = await runAgainst(['group', 'add', 'eng', 'bob'], {
      answer: identity.answer,
    })
    assert.equal(code, 2)
    assert.match(stderr, /somebody else changed the group in the same moment/)
  })

  it('gives up when the list is rewritten again and again', async () => {
    const identity = new FakeIdentity()
    identity.afterWrite = () => identity.setMembers([])
    const { code, stderr } = await runAgainst(['group', 'add', 'eng', 'bob'], {
      answer: identity.answer,
    })
    assert.equal(code, 2)
    assert.match(stderr, /were rewritten 10 times/)
  })

  it('leaves external groups to their logins', async () => {
    const identity = new FakeIdentity()
    identity.group = { ...identity.group, type: 'external' }
    const { code, stderr } = await runAgainst(['group', 'add', 'eng', 'bob'], {
      answer: identity.answer,
    })
    assert.equal(code, 2)
    assert.match(stderr, /members come from logins/)
  })

  it('lists members by name', async () => {
    const { answer } = new FakeIdentity()
    const { stdout } = await runAgainst(['group', 'members', 'eng'], { answer })
    assert.match(stdout, new RegExp(`^alice +entity +${ALICE}$`, 'm'))
  })

  it('creates with members by name', async () => {
    const { answer } = new FakeIdentity()
    const words = ['group', 'create', 'ops', '-policy=p', '-member=alice,bob', '-member-group=eng']
    const { requests } = await runAgainst(words, { answer })
    assert.deepEqual(requests.at(-1)?.body, {
      name: 'ops',
      type: 'internal',
      policies: ['p'],
      member_entity_ids: [ALICE, BOB],
      member_group_ids: [ENG],
    })
    const twice = await runAgainst(['group', 'create', 'eng'], { answer })
    assert.equal(twice.code, 2)
  })
})

describe('whoami', () => {
  it('names the entity, its accounts and groups, and where the policies come from', async () => {
    const identity = new FakeIdentity()
    const token = {
      entity_id: ALICE,
      policies: ['default'],
      identity_policies: ['p'],
      display_name: 'd',
      ttl: 3600,
      renewable: true,
    }
    const alice = {
      ...identity.entities[0],
      direct_group_ids: [ENG],
      aliases: [{ name: 'al', mount_path: 'auth/userpass/' }],
    }
    const { stdout } = await runAgainst(['whoami'], {
      answer: (request) =>
        request.path === 'auth/token/lookup-self'
          ? data(token)
          : request.path === `identity/entity/id/${ALICE}`
            ? data(alice)
            : identity.answer(request),
    })
    assert.match(stdout, new RegExp(`^identity +alice \\(${ALICE}\\)$`, 'm'))
    assert.match(stdout, /^account +al@userpass$/m)
    assert.match(stdout, /^group +eng$/m)
    assert.match(stdout, /^policies of the identity +p$/m)
    assert.match(stdout, /^token +d, 1h left, renewable$/m)
  })

  it('works for those who may read nothing but their own token, and for tokens of nobody', async () => {
    const answer = (request: SeenRequest): FakeAnswer =>
      request.path === 'auth/token/lookup-self'
        ? data({ entity_id: ALICE, policies: ['default'], display_name: 'd', ttl: 0 })
        : refused(403, 'permission denied')
    const poor = await runAgainst(['whoami'], { answer })
    assert.equal(poor.code, 0)
    assert.match(poor.stdout, new RegExp(`^identity +entity ${ALICE}$`, 'm'))
    const root = await runAgainst(['whoami'], {
      answer: () => data({ entity_id: '', policies: ['root'] }),
    })
    assert.match(root.stdout, /^identity +nobody/m)
  })
})
