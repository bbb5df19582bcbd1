import type { Gather, Gathered, GatherPurpose } from '../seal/gathering.ts'
import { decodeGathered } from '../seal/gathering.ts'
import type { ShareKeeper, ShareOutcome, ShareProgress } from '../seal/share-keeper.ts'
import type { KeyChannel, KeyMessageKind } from './key-channel.ts'

/** The shares as a worker sees them: its supervisor collects them for all. */
export class RemoteShares implements ShareKeeper {
  readonly #channel: () => KeyChannel

  constructor(channel: () => KeyChannel) {
    this.#channel = channel
  }

  async give(share: Buffer): Promise<ShareOutcome> {
    return (await this.#ask('share', share)) as ShareOutcome
  }

  async reset(): Promise<void> {
    await this.#ask('reset')
  }

  async progress(): Promise<ShareProgress> {
    return JSON.parse(await this.#ask('progress')) as ShareProgress
  }

  async gather(gather: Gather, key: Buffer): Promise<Gathered> {
    const head = Buffer.from(`${JSON.stringify(gather)}\n`)
    // Not from Buffer's pool, whose memory other parts of the process see.
    const payload = Buffer.alloc(head.length + key.length)
    head.copy(payload)
    key.copy(payload, head.length)
    const answer = await this.#askBytes('gather', payload)
    payload.fill(0)
    const gathered = decodeGathered(answer)
    answer.fill(0)
    return gathered
  }

  async gathered(purpose: GatherPurpose, nonce: string): Promise<number> {
    return Number(await this.#ask('gathered', Buffer.from(JSON.stringify({ purpose, nonce }))))
  }

  async dropGathered(purpose: GatherPurpose): Promise<void> {
    await this.#ask('drop', Buffer.from(purpose))
  }

  async rekeyed(combined: Buffer): Promise<void> {
    await this.#ask('rekeyed', combined)
  }

  async seal(): Promise<void> {
    await this.#ask('seal')
  }

  async #ask(kind: KeyMessageKind, payload?: Buffer): Promise<string> {
    return (await this.#askBytes(kind, payload)).toString()
  }

  async #askBytes(kind: KeyMessageKind, payload?: Buffer): Promise<Buffer> {
    const answer = await this.#channel().ask(kind, payload)
    if (answer === undefined || answer.length === 0) {
      throw new Error('the supervisor does not answer')
    }
    return answer
  }
}
