import type { Client } from '../client.ts'
import { namesModel } from '../models.ts'
import type { NamesIn, NamesOut, NamesState } from '../models.ts'
import type { Observed, Subject } from '../subject.ts'
import { ModelSubject } from '../subject.ts'

const ENTITIES = 3
const NAMES = 4

/** Some entities that take a few names from each other. */
export const namesSubject = async (id: string, client: Client): Promise<Subject> => {
  const initial: string[] = []
  const ids: string[] = []
  for (let entity = 0; entity < ENTITIES; entity++) {
    const name = `${id}-first-${entity}`
    initial.push(name)
    await client.insist({ path: 'identity/entity', body: { name } }, [200, 204])
    ids.push((await client.insist({ path: `identity/entity/name/${name}` }, [200])).body.data.id)
  }
  const names = [...initial, ...Array.from({ length: NAMES }, (_, at) => `${id}-${at}`)]
  const send = async (asking: Client, input: NamesIn): Promise<Observed<NamesOut>> => {
    switch (input.do) {
      case 'rename': {
        const path = `identity/entity/id/${ids[input.entity]}`
        const sent = await asking.send({ path, body: { name: input.name } }, [200, 204, 400])
        if (sent.kind !== 'answer') return sent.kind
        return { output: { renamed: sent.told.status !== 400 } }
      }
      case 'name-of': {
        const sent = await asking.send({ path: `identity/entity/id/${ids[input.entity]}` }, [200])
        if (sent.kind !== 'answer') return sent.kind
        return { output: { name: sent.told.body.data.name } }
      }
      case 'holder-of': {
        const sent = await asking.send({ path: `identity/entity/name/${input.name}` }, [200, 404])
        if (sent.kind !== 'answer') return sent.kind
        const { status, body } = sent.told
        return { output: { entity: status === 404 ? null : ids.indexOf(body.data.id) } }
      }
    }
  }
  return new ModelSubject<NamesState, NamesIn, NamesOut>({
    name: `names ${id}`,
    model: () => namesModel(initial),
    draw: ({ random }) => {
      const entity = random.below(ENTITIES)
      if (random.chance(0.6)) return { do: 'rename', entity, name: random.of(names) }
      if (random.chance(0.5)) return { do: 'name-of', entity }
      return { do: 'holder-of', name: random.of(names) }
    },
    reads: [
      ...ids.map((_, entity) => ({ do: 'name-of', entity }) as const),
      ...names.map((name) => ({ do: 'holder-of', name }) as const),
    ],
    send,
  })
}
