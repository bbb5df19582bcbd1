import type { Client } from '../client.ts'
import { tokenModel } from '../models.ts'
import type { TokenIn, TokenOut, TokenState } from '../models.ts'
import type { Restores } from '../restores.ts'
import type { ModelParts, Observed, Subject } from '../subject.ts'
import { ModelSubject, restorable } from '../subject.ts'

/** A token of a chosen text, made once, used by all, and ended at some time. */
export const tokenSubject = (id: string): Subject => new ModelSubject(tokenParts(id))

/** The same in a server into which snapshots are restored: then it may be as it was. */
export const restoredTokenSubject = (id: string, restores: Restores): Subject =>
  restorable(tokenParts(id), () => restores.marks())

const tokenParts = (id: string): ModelParts<TokenState, TokenIn, TokenOut> => {
  let made = false
  let uses = 0
  const send = async (client: Client, input: TokenIn): Promise<Observed<TokenOut>> => {
    switch (input.do) {
      case 'create': {
        const body = { id, policies: ['default'] }
        const sent = await client.send({ path: 'auth/token/create', body }, [200, 400])
        if (sent.kind !== 'answer') return sent.kind
        return { output: { made: sent.told.status === 200 } }
      }
      case 'use': {
        const sent = await client.send({ path: 'auth/token/lookup-self', token: id }, [200, 403])
        if (sent.kind !== 'answer') return sent.kind
        return { output: { alive: sent.told.status === 200 } }
      }
      case 'revoke': {
        const sent = await client.send({ path: 'auth/token/revoke', body: { token: id } }, [204])
        return sent.kind === 'answer' ? { output: { done: true } } : sent.kind
      }
    }
  }
  return {
    name: `token ${id}`,
    model: () => tokenModel,
    draw: ({ random }) => {
      if (!made) {
        // Its text would be free again after its end.
        made = true
        return { do: 'create' }
      }
      // Mostly used, for most of its life.
      return { do: uses++ > 10 && random.chance(0.08) ? 'revoke' : 'use' }
    },
    reads: [{ do: 'use' }],
    send,
  }
}
