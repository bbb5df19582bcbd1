import type { Client } from '../client.ts'
import type { Subject } from '../subject.ts'

/** Time may be this much behind what another node told, where a clock was set back; and what asking takes. */
const SLACK_MS = 2_000
const SHORTEST_S = 1
const LONGEST_S = 5

/** One use of a token: when, and what the server said. */
export interface Use {
  readonly call: number
  readonly end: number
  readonly alive: boolean
}

/** A use that worked though the token had been seen to be over before; undefined if there is none. */
export const revived = (uses: readonly Use[]): Use | undefined => {
  const over = Math.min(...uses.filter(({ alive }) => !alive).map(({ end }) => end))
  return uses.find(({ alive, call }) => alive && call > over + SLACK_MS)
}

/** A token that ends by time: from then on it is over, whatever becomes of clocks. */
export const expirySubject = async (id: string, client: Client): Promise<Subject> => {
  const seconds = SHORTEST_S + client.random.below(LONGEST_S - SHORTEST_S)
  const body = { id, policies: ['default'], ttl: `${seconds}s` }
  // 400: it was made by a request whose answer was lost.
  await client.insist({ path: 'auth/token/create', body }, [200, 400])
  const uses: Use[] = []
  const use = async (asking: Client): Promise<boolean> => {
    const call = performance.now()
    const sent = await asking.send({ path: 'auth/token/lookup-self', token: id }, [200, 403])
    if (sent.kind !== 'answer') return false
    uses.push({ call, end: performance.now(), alive: sent.told.status === 200 })
    return true
  }
  return {
    name: `token ${id} for ${seconds} s`,
    operate: async (asking) => void (await use(asking)),
    inspect: async (asking) => {
      while (!(await use(asking))) continue
    },
    get operations() {
      return uses.length
    },
    fault: () => {
      const found = revived(uses)
      if (found === undefined) return undefined
      return `token ${id}: it was over, and worked again: ${JSON.stringify(uses)}`
    },
  }
}
