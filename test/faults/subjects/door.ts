import type { Client } from '../client.ts'
import { doorModel, shownHistory } from '../models.ts'
import type { DoorIn, DoorOut, DoorState } from '../models.ts'
import type { Observed, Subject } from '../subject.ts'
import { ModelSubject } from '../subject.ts'

/**
 * Somebody who logs in again and again with the same secret id, at `approle/`, which must be mounted: whom the processes remember,
 * therefore. Meanwhile somebody changes what the answers show: policies of the person, whom they disable and enable as well
 * (`person`), or of a group of theirs (`group`).
 */
export const doorSubject =
  (of: 'person' | 'group') =>
  async (id: string, client: Client): Promise<Subject> => {
    const role = `auth/approle/role/${id}`
    await client.insist({ path: role, body: { token_policies: 'default' } }, [204])
    const roleId = (await client.insist({ path: `${role}/role-id` }, [200])).body.data.role_id
    const secretId = (await client.insist({ path: `${role}/secret-id`, body: {} }, [200])).body.data
      .secret_id
    const credentials = { role_id: roleId, secret_id: secretId }
    const first = { path: 'auth/approle/login', token: '', body: credentials }
    const entity: string = (await client.insist(first, [200])).body.auth.entity_id
    const person = `identity/entity/id/${entity}`
    const made = { name: `${id}-group`, member_entity_ids: [entity] }
    await client.insist({ path: 'identity/group', body: made }, [200, 204])
    const found = await client.insist({ path: `identity/group/name/${id}-group` }, [200])
    const group: string = found.body.data.id
    const place = of === 'person' ? person : `identity/group/id/${group}`

    const send = async (asking: Client, input: DoorIn): Promise<Observed<DoorOut>> => {
      if (input.do === 'login') {
        const sent = await asking.send(first, [200, 403], input.at)
        if (sent.kind !== 'answer') return sent.kind
        const { status, body: told } = sent.told
        if (status === 403) return { output: { shown: null } }
        const [shown = ''] = told.auth.identity_policies ?? []
        return { output: { shown } }
      }
      const change =
        input.do === 'show' ? { policies: [input.value] } : { disabled: input.do === 'close' }
      const sent = await asking.send({ path: place, body: change }, [200, 204])
      return sent.kind === 'answer' ? { output: { done: true } } : sent.kind
    }

    let values = 0
    return new ModelSubject<DoorState, DoorIn, DoorOut>({
      name: `the ${of} of ${id}`,
      model: () => doorModel,
      draw: ({ random }) => {
        if (random.chance(0.6)) return { do: 'login' }
        if (of === 'group' || random.chance(0.5)) return { do: 'show', value: `${id}-${values++}` }
        return { do: random.chance(0.4) ? 'close' : 'open' }
      },
      reads: [{ do: 'login' }],
      told: shownHistory,
      send,
      follow: (asking, input) => {
        if (input.do === 'login') return []
        asking.note('asked everywhere after a change')
        return Array.from({ length: asking.places }, (_, at) => ({ do: 'login', at }) as const)
      },
    })
  }
