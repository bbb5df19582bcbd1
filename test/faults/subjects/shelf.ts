import type { Client } from '../client.ts'
import type { Model } from '../history.ts'
import type { SecretIn, SecretOut, SecretState } from '../models.ts'
import { secretModel } from '../models.ts'
import type { Restores } from '../restores.ts'
import type { Subject } from '../subject.ts'
import { restorable } from '../subject.ts'
import { sendSecret } from './secret.ts'

/** What is done to one of several secrets. */
export type ShelfIn = SecretIn & { readonly at: number }
export type ShelfState = readonly SecretState[]

/** So many secrets: what happens to all of them at once shows in their order. */
export const shelfModel = (secrets: number): Model<ShelfState, ShelfIn, SecretOut> => ({
  initial: Array.from({ length: secrets }, () => secretModel.initial),
  apply: (state, input) => {
    const [after, output] = secretModel.apply(state[input.at]!, input)
    return [state.with(input.at, after), output]
  },
  reads: (input) => secretModel.reads(input),
  key: (state) => state.map((each) => secretModel.key(each)).join(', '),
})

const SECRETS = 3

/** Some secrets under `secret/`, which must be mounted, in a server into which snapshots are restored. */
export const shelfSubject = (id: string, restores: Restores): Subject => {
  let values = 0
  const guesses = Array.from({ length: SECRETS }, () => 0)
  return restorable<ShelfState, ShelfIn, SecretOut>(
    {
      name: `secrets ${id}`,
      model: () => shelfModel(SECRETS),
      draw: ({ random }: Client) => {
        const at = random.below(SECRETS)
        if (random.chance(0.5)) return { do: 'read', at }
        const value = `${id}-${values++}`
        if (random.chance(0.6)) return { do: 'write', at, value }
        return { do: 'write', at, value, cas: guesses[at]! }
      },
      reads: Array.from({ length: SECRETS }, (_, at) => ({ do: 'read', at }) as const),
      send: async (client, input) => {
        const observed = await sendSecret(client, `secret/data/${id}-${input.at}`, input)
        if (typeof observed === 'object' && 'version' in observed.output) {
          guesses[input.at] = observed.output.version
        }
        return observed
      },
    },
    () => restores.marks(),
  )
}
