import type { ShareKeeper, ShareOutcome, ShareProgress } from '../seal/share-keeper.ts'
import type { KeyChannel } from './key-channel.ts'

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

  async seal(): Promise<void> {
    await this.#ask('seal')
  }

  async #ask(kind: 'share' | 'reset' | 'progress' | 'seal', payload?: Buffer): Promise<string> {
    const answer = await this.#channel().ask(kind, payload)
    if (answer === undefined || answer.length === 0) {
      throw new Error('the supervisor does not answer')
    }
    return answer.toString()
  }
}
