import type { Client, Sent } from '../client.ts'
import { accessModel } from '../models.ts'
import type { AccessIn, AccessOut, AccessState } from '../models.ts'
import type { Observed, Subject } from '../subject.ts'
import { ModelSubject } from '../subject.ts'

const TOKENS = 5

/**
 * One who may use a secret as a member of a group that has a policy for it. All of that is taken away and given back, in one
 * place; at the moment it is acknowledged, every place is asked whether they still may. Needs `secret/` and `approle/`.
 */
export const accessSubject = async (id: string, client: Client): Promise<Subject> => {
  const path = `secret/data/${id}`
  const policyOf = (at: string): string => `path "${at}" { capabilities = ["read", "update"] }`
  const policyPath = `sys/policies/acl/${id}`
  await client.insist({ path, body: { data: { value: 'first' } } }, [200])
  await client.insist({ path: policyPath, body: { policy: policyOf(path) } }, [200, 204])

  const role = `auth/approle/role/${id}`
  await client.insist({ path: role, body: {} }, [204])
  const roleId = (await client.insist({ path: `${role}/role-id` }, [200])).body.data.role_id
  const secretId = (await client.insist({ path: `${role}/secret-id`, body: {} }, [200])).body.data
    .secret_id
  const tokens: string[] = []
  let entity = ''
  for (let token = 0; token < TOKENS; token++) {
    const body = { role_id: roleId, secret_id: secretId }
    const login = await client.insist({ path: 'auth/approle/login', token: '', body }, [200])
    tokens.push(login.body.auth.client_token)
    entity = login.body.auth.entity_id
  }
  const made = { name: id, policies: [id], member_entity_ids: [entity] }
  await client.insist({ path: 'identity/group', body: made }, [200, 204])
  const group: string = (await client.insist({ path: `identity/group/name/${id}` }, [200])).body
    .data.id

  const change = (
    asking: Client,
    input: Exclude<AccessIn, { readonly do: 'use' }>,
  ): Promise<Sent> => {
    switch (input.do) {
      case 'disable':
      case 'enable': {
        const body = { disabled: input.do === 'disable' }
        return asking.send({ path: `identity/entity/id/${entity}`, body }, [200, 204])
      }
      case 'add': {
        const body = { entity_ids: [entity] }
        return asking.send({ path: `identity/group-member/id/${group}`, body }, [200])
      }
      case 'remove': {
        const query = `identity/group-member/id/${group}?entity_ids=${entity}`
        return asking.send({ path: query, method: 'DELETE' }, [200])
      }
      case 'allow':
        return asking.send({ path: policyPath, body: { policy: policyOf(path) } }, [200, 204])
      case 'forbid': {
        // Gone, or another.
        if (asking.random.chance(0.5))
          return asking.send({ path: policyPath, method: 'DELETE' }, [204])
        const body = { policy: policyOf(`${path}-other`) }
        return asking.send({ path: policyPath, body }, [200, 204])
      }
      case 'revoke': {
        const body = { token: tokens[input.token] }
        return asking.send({ path: 'auth/token/revoke', body }, [204])
      }
    }
  }
  const send = async (asking: Client, input: AccessIn): Promise<Observed<AccessOut>> => {
    if (input.do !== 'use') {
      const sent = await change(asking, input)
      return sent.kind === 'answer' ? { output: { done: true } } : sent.kind
    }
    const body = { data: { value: 'next' } }
    const question = { path, token: tokens[input.token]!, ...(input.how === 'write' && { body }) }
    const sent = await asking.send(question, [200, 403], input.at)
    if (sent.kind !== 'answer') return sent.kind
    return { output: { allowed: sent.told.status === 200 } }
  }

  /** The token in use: the last one is never revoked. */
  let current = 0
  let withheld: 'enable' | 'add' | 'allow' | undefined
  const use = (asking: Client, token: number, at?: number): AccessIn => ({
    do: 'use',
    token,
    how: asking.random.chance(0.3) ? 'write' : 'read',
    ...(at !== undefined && { at }),
  })
  const draw = (asking: Client): AccessIn => {
    const { random } = asking
    if (random.chance(0.3)) return use(asking, current)
    if (current < TOKENS - 1 && random.chance(0.1)) return { do: 'revoke', token: current++ }
    if (withheld !== undefined) {
      // Given back soon: who may nothing anyhow shows little.
      const given = withheld
      withheld = undefined
      return { do: given }
    }
    const taken = random.of(['disable', 'remove', 'forbid'] as const)
    withheld = taken === 'disable' ? 'enable' : taken === 'remove' ? 'add' : 'allow'
    return { do: taken }
  }
  return new ModelSubject<AccessState, AccessIn, AccessOut>({
    name: `access of ${id}`,
    model: () => accessModel,
    draw,
    reads: tokens.map((_, token) => ({ do: 'use', token, how: 'read' }) as const),
    send,
    follow: (asking, input) => {
      if (input.do === 'use') return []
      asking.note('asked everywhere after a change')
      const token = input.do === 'revoke' ? input.token : current
      return Array.from({ length: asking.places }, (_, at) => use(asking, token, at))
    },
  })
}
