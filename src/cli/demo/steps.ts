import { randomBytes } from 'node:crypto'
import type { ApiClient } from '../../client/api-client.ts'
import { text, texts } from '../../client/secret.ts'
import { namesOf } from '../identity-lookup.ts'
import { objectOf } from '../mount-options.ts'
import { auditLines } from './audit-lines.ts'
import { AUDIENCE, createIdentityProvider, ISSUER } from './corporate-login.ts'
import type { IdentityProvider } from './corporate-login.ts'
import type { Stage } from './stage.ts'
import { BrokenPromise, statusOf } from './stage.ts'

/** What the steps hand to each other. */
type Scene = {
  readonly stage: Stage
  readonly company: IdentityProvider
  readonly password: string
  readonly passwordAccessor: string
  readonly corpAccessor: string
}

/** A person who has logged in. */
type Session = { readonly client: ApiClient; readonly token: string; readonly entityId: string }

const ALICE_AT_CORP = 'a.smith@corp'

const sessionFrom = (stage: Stage, secret: Awaited<ReturnType<ApiClient['write']>>): Session => {
  const auth = secret?.auth
  if (auth === undefined) throw new BrokenPromise('a login answers a token')
  const token = auth.clientToken
  return { client: stage.root.with({ token }), token, entityId: auth.entityId }
}

const logInByPassword = async ({ stage, password }: Scene, user: string): Promise<Session> => {
  const path = `auth/demo-password/login/${user}`
  return sessionFrom(stage, await stage.root.with({ token: '' }).post(path, { password }))
}

const logInByCorp = async (scene: Scene, groups: readonly string[]): Promise<Session> => {
  const { stage, company } = scene
  const body = { role: 'demo', jwt: company.token(ALICE_AT_CORP, groups) }
  return sessionFrom(stage, await stage.root.with({ token: '' }).post('auth/demo-corp/login', body))
}

const accessorOf = async ({ root }: Stage, path: string): Promise<string> =>
  text(objectOf((await root.read('sys/auth'))?.data?.[path])['accessor'])

/** Step 1: two auth methods, with an account for Alice behind each. */
const twoDoors = async (stage: Stage): Promise<Scene> => {
  await stage.step(
    'Two doors.',
    'auth/demo-password (userpass) and auth/demo-corp (jwt). Alice has an account behind each.',
  )
  const company = createIdentityProvider()
  const password = randomBytes(9).toString('base64url')
  await stage.write(
    'sys/auth/demo-password',
    { type: 'userpass' },
    'vault auth enable -path=demo-password userpass',
  )
  await stage.write(
    'auth/demo-password/users/alice',
    { password },
    `vault write auth/demo-password/users/alice password=${password}`,
  )
  await stage.write('sys/auth/demo-corp', { type: 'jwt' }, 'vault auth enable -path=demo-corp jwt')
  await stage.write(
    'auth/demo-corp/config',
    { jwt_validation_pubkeys: company.publicKey, bound_issuer: ISSUER },
    `vault write auth/demo-corp/config bound_issuer=${ISSUER} jwt_validation_pubkeys='${company.publicKey.trim()}'`,
  )
  await stage.write(
    'auth/demo-corp/role/demo',
    { role_type: 'jwt', user_claim: 'sub', groups_claim: 'groups', bound_audiences: [AUDIENCE] },
    `vault write auth/demo-corp/role/demo role_type=jwt user_claim=sub groups_claim=groups bound_audiences=${AUDIENCE}`,
  )
  const passwordAccessor = await accessorOf(stage, 'demo-password/')
  const corpAccessor = await accessorOf(stage, 'demo-corp/')
  stage.expect(passwordAccessor !== '' && corpAccessor !== '', 'both auth methods are listed')
  return { stage, company, password, passwordAccessor, corpAccessor }
}

/** An entity with an account behind the password's door. */
const person = async (scene: Scene, name: string, user: string): Promise<string> => {
  const { stage, passwordAccessor } = scene
  const made = await stage.write(
    'identity/entity',
    { name },
    `vault write identity/entity name=${name}`,
  )
  const id = text(made?.data?.['id'])
  stage.expect(id !== '', `the entity ${name} is made`)
  await alias(scene, id, user, passwordAccessor)
  return id
}

const alias = async (
  { stage }: Scene,
  entityId: string,
  name: string,
  accessor: string,
): Promise<void> => {
  await stage.write(
    'identity/entity-alias',
    { name, canonical_id: entityId, mount_accessor: accessor },
    `vault write identity/entity-alias name=${name} canonical_id=${entityId} mount_accessor=${accessor}`,
  )
}

/** Step 2: one entity with both accounts. */
const onePerson = async (scene: Scene): Promise<string> => {
  const { stage } = scene
  await stage.step('One person.', 'entity demo-alice  ← alias alice @demo-password')
  const id = await person(scene, 'demo-alice', 'alice')
  stage.line(`                          entity demo-alice  ← alias ${ALICE_AT_CORP} @demo-corp`)
  await alias(scene, id, ALICE_AT_CORP, scene.corpAccessor)
  return id
}

/** Step 3: both logins are the same entity. */
const bothDoors = async (scene: Scene, entityId: string): Promise<Session> => {
  const { stage } = scene
  const byPassword = await logInByPassword(scene, 'alice')
  const byCorp = await logInByCorp(scene, [])
  await stage.step(
    'She logs in through both.',
    `password → entity ${byPassword.entityId.slice(0, 4)}…   corp → entity ${byCorp.entityId.slice(0, 4)}…`,
  )
  stage.command(`vault write auth/demo-password/login/alice password=${scene.password}`)
  stage.command(
    `vault write auth/demo-corp/login role=demo jwt=${scene.company.token(ALICE_AT_CORP, [])}`,
  )
  stage.expect(byPassword.entityId === entityId, 'the password login is demo-alice')
  stage.expect(byCorp.entityId === entityId, 'the corporate login is demo-alice')
  stage.kept('the same identity')
  return byPassword
}

const policy = async (stage: Stage, name: string, path: string): Promise<void> => {
  const rule = `path "${path}" { capabilities = ["read"] }`
  await stage.write(
    `sys/policies/acl/${name}`,
    { policy: rule },
    `vault policy write ${name} - <<< '${rule}'`,
  )
}

/** Step 4: joining a group counts for tokens that are there already. */
const groupOpensPath = async (scene: Scene, entityId: string, alice: Session): Promise<void> => {
  const { stage } = scene
  await stage.step('A group opens a path.', 'group demo-eng holds policy demo-eng-read.')
  await stage.write(
    'sys/mounts/demo-secret',
    { type: 'kv' },
    'vault secrets enable -path=demo-secret kv',
  )
  for (const name of ['eng', 'staff']) {
    await stage.write(
      `demo-secret/${name}`,
      { hello: name },
      `vault kv put demo-secret/${name} hello=${name}`,
    )
  }
  await policy(
    stage,
    'demo-eng-read',
    'demo-secret/{{identity.groups.names.demo-eng.metadata.folder}}',
  )
  await stage.write(
    'identity/group',
    { name: 'demo-eng', policies: ['demo-eng-read'], metadata: { folder: 'eng' } },
    'vault write identity/group name=demo-eng policies=demo-eng-read metadata=folder=eng',
  )
  const before = await statusOf(alice.client, 'demo-secret/eng')
  stage.command(`VAULT_TOKEN=${alice.token} vault read demo-secret/eng`)
  stage.expect(before === 403, `demo-secret/eng is closed to Alice (403), not ${before}`)
  stage.line(`demo-secret/eng: ${before}`)
  await stage.write(
    'identity/group/name/demo-eng',
    { member_entity_ids: [entityId] },
    `vault write identity/group/name/demo-eng member_entity_ids=${entityId}`,
  )
  const after = await statusOf(alice.client, 'demo-secret/eng')
  stage.command(`VAULT_TOKEN=${alice.token} vault read demo-secret/eng`)
  stage.expect(after === 200, `demo-secret/eng is open to Alice (200), not ${after}`)
  stage.kept(
    `added to demo-eng: demo-secret/eng: ${after}, with the token from step 3 (no new login)`,
  )
}

/** Step 5: where the policies of the token come from. */
const why = async ({ stage }: Scene, entityId: string, alice: Session): Promise<void> => {
  const lookup = (await alice.client.read('auth/token/lookup-self'))?.data ?? {}
  const entity = (await stage.root.read(`identity/entity/id/${entityId}`))?.data ?? {}
  const policies = texts(lookup['identity_policies'])
  const groups = await namesOf(stage.root, 'group', texts(entity['direct_group_ids']))
  await stage.step('Why?', `policies of the token: ${texts(lookup['policies']).join(', ')}`)
  stage.command(`VAULT_TOKEN=${alice.token} vault token lookup`)
  stage.expect(policies.includes('demo-eng-read'), 'the token has demo-eng-read by its identity')
  stage.expect(groups.includes('demo-eng'), 'the entity names the group demo-eng')
  stage.kept(
    `policies of the identity: ${policies.join(', ')}   through group ${groups.join(', ')}`,
  )
}

/** Step 6: members of a subgroup have the parent's policies, never the reverse. */
const groupOfGroups = async (scene: Scene, alice: Session): Promise<void> => {
  const { stage } = scene
  await stage.step(
    'A group of groups.',
    'demo-eng becomes a member of demo-staff; Bob is in demo-staff.',
  )
  await policy(stage, 'demo-staff-read', 'demo-secret/staff')
  await stage.write(
    'auth/demo-password/users/bob',
    { password: scene.password },
    `vault write auth/demo-password/users/bob password=${scene.password}`,
  )
  const bobId = await person(scene, 'demo-bob', 'bob')
  const engineers = text((await stage.root.read('identity/group/name/demo-eng'))?.data?.['id'])
  await stage.write(
    'identity/group',
    {
      name: 'demo-staff',
      policies: ['demo-staff-read'],
      member_group_ids: [engineers],
      member_entity_ids: [bobId],
    },
    `vault write identity/group name=demo-staff policies=demo-staff-read member_group_ids=${engineers} member_entity_ids=${bobId}`,
  )
  const bob = await logInByPassword(scene, 'bob')
  stage.command(`vault write auth/demo-password/login/bob password=${scene.password}`)
  const aliceStaff = await statusOf(alice.client, 'demo-secret/staff')
  const bobStaff = await statusOf(bob.client, 'demo-secret/staff')
  const bobEngineer = await statusOf(bob.client, 'demo-secret/eng')
  stage.command(`VAULT_TOKEN=${bob.token} vault read demo-secret/eng`)
  stage.expect(aliceStaff === 200, `Alice has demo-staff's policy (200), not ${aliceStaff}`)
  stage.expect(bobStaff === 200, `Bob has demo-staff's policy (200), not ${bobStaff}`)
  stage.expect(bobEngineer === 403, `Bob has none of demo-eng's (403), not ${bobEngineer}`)
  stage.kept("Alice has demo-staff's policy too; Bob of demo-staff has none of demo-eng's")
}

/** Step 7: membership of an external group comes and goes with logins. */
const companyGroups = async (scene: Scene): Promise<void> => {
  const { stage } = scene
  await stage.step(
    "The company's groups.",
    `token of ${ALICE_AT_CORP} says groups=["engineers"]; external group demo-engineers ← alias engineers @demo-corp`,
  )
  await policy(stage, 'demo-engineers-read', 'demo-secret/engineers')
  const made = await stage.write(
    'identity/group',
    { name: 'demo-engineers', type: 'external', policies: ['demo-engineers-read'] },
    'vault write identity/group name=demo-engineers type=external policies=demo-engineers-read',
  )
  const id = text(made?.data?.['id'])
  await stage.write(
    'identity/group-alias',
    { name: 'engineers', canonical_id: id, mount_accessor: scene.corpAccessor },
    `vault write identity/group-alias name=engineers canonical_id=${id} mount_accessor=${scene.corpAccessor}`,
  )
  const holds = async (groups: readonly string[]): Promise<boolean> => {
    const session = await logInByCorp(scene, groups)
    const lookup = (await session.client.read('auth/token/lookup-self'))?.data ?? {}
    stage.command(
      `vault write auth/demo-corp/login role=demo jwt=${scene.company.token(ALICE_AT_CORP, groups)}`,
    )
    return texts(lookup['identity_policies']).includes('demo-engineers-read')
  }
  stage.expect(await holds(['engineers']), 'the login with the claim is in demo-engineers')
  stage.kept('logged in with it: member of demo-engineers, with its policy')
  stage.expect(!(await holds([])), 'the login without the claim has left demo-engineers')
  stage.kept('next login without it: membership gone')
}

/** Step 8: removal counts from the next request on. */
const takeAway = async ({ stage }: Scene, alice: Session): Promise<void> => {
  await stage.step('Take it away.', 'removed from demo-eng')
  const open = await statusOf(alice.client, 'demo-secret/eng')
  stage.expect(open === 200, `demo-secret/eng is open until then (200), not ${open}`)
  await stage.write(
    'identity/group/name/demo-eng',
    { member_entity_ids: [] },
    'vault write identity/group/name/demo-eng member_entity_ids=',
  )
  const answered = performance.now()
  const status = await statusOf(alice.client, 'demo-secret/eng')
  const milliseconds = (performance.now() - answered).toFixed(1)
  stage.command(`VAULT_TOKEN=${alice.token} vault read demo-secret/eng`)
  stage.expect(status === 403, `the very next request is refused (403), not ${status}`)
  stage.kept(`the very next request: ${status} (${milliseconds} ms after the answer)`)
}

/** Step 9, where an audit file of the server can be read here: everything under one name. */
const whoDidWhat = async (
  { stage }: Scene,
  entityId: string,
  since: number,
  auditFile: string | undefined,
): Promise<void> => {
  const log = await auditLines(stage.root, since, auditFile)
  if (log === undefined) return
  const hers = log.lines.filter((line) => line.entityId === entityId)
  const doors = new Set(hers.map((line) => line.loginMount).filter((mount) => mount !== undefined))
  await stage.step('Who did what.', `${hers.length} lines of ${log.file} for demo-alice`)
  stage.command(`grep -c '"entity_id":"${entityId}"' ${log.file}`)
  stage.expect(
    doors.has('auth/demo-password/'),
    'the password login is in the audit log as demo-alice',
  )
  stage.expect(
    doors.has('auth/demo-corp/'),
    'the corporate login is in the audit log as demo-alice',
  )
  stage.kept('both logins under one identity')
}

/** Plays every step; throws a BrokenPromise where one does not hold. `auditFile`: where the log is known to lie. */
export const playSteps = async (stage: Stage, auditFile: string | undefined): Promise<void> => {
  const since = Date.now()
  const scene = await twoDoors(stage)
  const entityId = await onePerson(scene)
  const alice = await bothDoors(scene, entityId)
  await groupOpensPath(scene, entityId, alice)
  await why(scene, entityId, alice)
  await groupOfGroups(scene, alice)
  await companyGroups(scene)
  await takeAway(scene, alice)
  await whoDidWhat(scene, entityId, since, auditFile)
}
