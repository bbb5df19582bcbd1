/** What unseal keys are gathered for while the server is unsealed. */
export type GatherPurpose = 'rotate' | 'verify' | 'generate-root'

/** One gathering: another nonce begins anew. */
export interface Gather {
  readonly purpose: GatherPurpose
  readonly nonce: string
  /** Keys that are enough. */
  readonly threshold: number
}

/** What became of a key. `complete`: all of them, whoever gets them wipes them; the gathering is over. */
export type Gathered =
  | { readonly kind: 'repeated' }
  | { readonly kind: 'progress'; readonly progress: number }
  | { readonly kind: 'complete'; readonly keys: readonly Buffer[] }

interface UnderWay {
  readonly nonce: string
  readonly keys: Buffer[]
}

const wipe = (keys: readonly Buffer[]): void => {
  for (const key of keys) key.fill(0)
}

/** Unseal keys given one by one, in one place for all processes that share it (architecture.md A12). */
export class Gathering {
  readonly #underWay = new Map<GatherPurpose, UnderWay>()

  give({ purpose, nonce, threshold }: Gather, key: Uint8Array): Gathered {
    let present = this.#underWay.get(purpose)
    if (present === undefined || present.nonce !== nonce) {
      this.drop(purpose)
      present = { nonce, keys: [] }
      this.#underWay.set(purpose, present)
    }
    if (present.keys.some((known) => known.equals(key))) return { kind: 'repeated' }
    present.keys.push(Buffer.from(key))
    if (present.keys.length < threshold) return { kind: 'progress', progress: present.keys.length }
    this.#underWay.delete(purpose)
    return { kind: 'complete', keys: present.keys }
  }

  /** Keys given so far for this operation. */
  progress(purpose: GatherPurpose, nonce: string): number {
    const present = this.#underWay.get(purpose)
    return present?.nonce === nonce ? present.keys.length : 0
  }

  drop(purpose: GatherPurpose): void {
    wipe(this.#underWay.get(purpose)?.keys ?? [])
    this.#underWay.delete(purpose)
  }

  dropAll(): void {
    for (const purpose of this.#underWay.keys()) this.drop(purpose)
  }
}

const REPEATED = 0
const PROGRESS = 1
const COMPLETE = 2

/** What became of a key, as bytes for the pipe between processes: kind, count, and each key behind its length. */
export const encodeGathered = (gathered: Gathered): Buffer => {
  if (gathered.kind === 'repeated') return Buffer.of(REPEATED)
  if (gathered.kind === 'progress') return Buffer.of(PROGRESS, gathered.progress)
  const length = gathered.keys.reduce((sum, key) => sum + 1 + key.length, 2)
  // Not from Buffer's pool, whose memory other parts of the process see.
  const bytes = Buffer.alloc(length)
  bytes[0] = COMPLETE
  bytes[1] = gathered.keys.length
  let at = 2
  for (const key of gathered.keys) {
    bytes[at++] = key.length
    key.copy(bytes, at)
    at += key.length
  }
  return bytes
}

/** The same read back. Throws an Error for other bytes. */
export const decodeGathered = (bytes: Buffer): Gathered => {
  const [kind, count = 0] = bytes
  if (kind === REPEATED) return { kind: 'repeated' }
  if (kind === PROGRESS) return { kind: 'progress', progress: count }
  if (kind !== COMPLETE) throw new Error('the supervisor answers something else')
  const keys: Buffer[] = []
  let at = 2
  for (let left = count; left > 0; left--) {
    const length = bytes[at++]!
    const key = Buffer.alloc(length)
    bytes.copy(key, 0, at, at + length)
    keys.push(key)
    at += length
  }
  return { kind: 'complete', keys }
}
