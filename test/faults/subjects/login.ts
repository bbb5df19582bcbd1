import type { Client } from '../client.ts'
import type { Operation } from '../history.ts'
import { loginModel } from '../models.ts'
import type { LoginIn, LoginOut } from '../models.ts'
import type { Observed, Subject } from '../subject.ts'
import { ModelSubject } from '../subject.ts'

/** One whom nobody has seen logs in many times at once: at `approle/`, which must be mounted. */
export const loginSubject = async (id: string, client: Client): Promise<Subject> => {
  const role = `auth/approle/role/${id}`
  await client.insist({ path: role, body: { token_policies: 'default' } }, [204])
  const roleId = (await client.insist({ path: `${role}/role-id` }, [200])).body.data.role_id
  const secretId = (await client.insist({ path: `${role}/secret-id`, body: {} }, [200])).body.data
    .secret_id
  const mounts = (await client.insist({ path: 'sys/auth' }, [200])).body
  const { accessor } = mounts['approle/']
  const send = async (asking: Client, input: LoginIn): Promise<Observed<LoginOut>> => {
    if (input.do === 'login') {
      const body = { role_id: roleId, secret_id: secretId }
      const sent = await asking.send({ path: 'auth/approle/login', token: '', body }, [200])
      if (sent.kind !== 'answer') return sent.kind
      const { client_token: token, entity_id: entity } = sent.told.body.auth
      // What a login gave out is good from then on.
      await asking.send({ path: 'auth/token/lookup-self', token }, [200])
      return { output: { entity } }
    }
    const body = { alias_name: roleId, alias_mount_accessor: accessor }
    const sent = await asking.send({ path: 'identity/lookup/entity', body }, [200, 204])
    if (sent.kind !== 'answer') return sent.kind
    const { status, body: found } = sent.told
    return { output: { entity: status === 204 ? null : found.data.id } }
  }
  return new ModelSubject<string, LoginIn, LoginOut>({
    name: `logins of ${id}`,
    model: (history) => loginModel(idsIn(history)),
    draw: ({ random }) => ({ do: random.chance(0.6) ? 'login' : 'find' }),
    reads: [{ do: 'find' }, { do: 'login' }],
    send,
  })
}

const idsIn = (history: readonly Operation<LoginIn, LoginOut>[]): readonly string[] => [
  ...new Set(history.flatMap(({ output }) => output?.entity ?? [])),
]
