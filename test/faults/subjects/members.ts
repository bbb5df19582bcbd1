import type { Client, Sent } from '../client.ts'
import { membersModel } from '../models.ts'
import type { MembersIn, MembersOut, MembersState } from '../models.ts'
import type { Observed, Subject } from '../subject.ts'
import { ModelSubject } from '../subject.ts'

const ENTITIES = 4

/** A group and some entities, which are added and removed one by one and as whole lists, and seen from both sides. */
export const membersSubject = async (id: string, client: Client): Promise<Subject> => {
  const ids: string[] = []
  for (let entity = 0; entity < ENTITIES; entity++) {
    const name = `${id}-member-${entity}`
    await client.insist({ path: 'identity/entity', body: { name } }, [200, 204])
    ids.push((await client.insist({ path: `identity/entity/name/${name}` }, [200])).body.data.id)
  }
  await client.insist({ path: 'identity/group', body: { name: id } }, [200, 204])
  const group: string = (await client.insist({ path: `identity/group/name/${id}` }, [200])).body
    .data.id
  const change = async (
    asking: Client,
    input: Extract<MembersIn, { readonly entities: readonly number[] }>,
  ): Promise<Sent> => {
    const entityIds = input.entities.map((entity) => ids[entity]!)
    switch (input.do) {
      case 'add':
        return asking.send(
          { path: `identity/group-member/id/${group}`, body: { entity_ids: entityIds } },
          [200],
        )
      case 'remove': {
        const query = entityIds.map((each) => `entity_ids=${each}`).join('&')
        return asking.send(
          { path: `identity/group-member/id/${group}?${query}`, method: 'DELETE' },
          [200],
        )
      }
      case 'set':
        return asking.send(
          { path: `identity/group/id/${group}`, body: { member_entity_ids: entityIds } },
          [200, 204],
        )
    }
  }
  const send = async (asking: Client, input: MembersIn): Promise<Observed<MembersOut>> => {
    if (input.do === 'members') {
      const sent = await asking.send({ path: `identity/group/id/${group}` }, [200])
      if (sent.kind !== 'answer') return sent.kind
      const members: readonly string[] = sent.told.body.data.member_entity_ids ?? []
      const found = members.map((member) => ids.indexOf(member))
      return { output: { members: found.toSorted((a, b) => a - b) } }
    }
    if (input.do === 'is-member') {
      const sent = await asking.send({ path: `identity/entity/id/${ids[input.entity]}` }, [200])
      if (sent.kind !== 'answer') return sent.kind
      return { output: { member: sent.told.body.data.direct_group_ids.includes(group) } }
    }
    const sent = await change(asking, input)
    return sent.kind === 'answer' ? { output: { done: true } } : sent.kind
  }
  return new ModelSubject<MembersState, MembersIn, MembersOut>({
    name: `group ${id}`,
    model: () => membersModel,
    draw: ({ random }) => {
      const chance = random.fraction()
      if (chance < 0.25) return { do: 'add', entities: random.some(ENTITIES) }
      if (chance < 0.45) return { do: 'remove', entities: random.some(ENTITIES) }
      if (chance < 0.55) return { do: 'set', entities: random.some(ENTITIES) }
      if (chance < 0.75) return { do: 'members' }
      return { do: 'is-member', entity: random.below(ENTITIES) }
    },
    reads: [{ do: 'members' }, ...ids.map((_, entity) => ({ do: 'is-member', entity }) as const)],
    send,
  })
}
