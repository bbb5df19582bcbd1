import { setTimeout as wait } from 'node:timers/promises'
import { download, upload } from '../support/upload.ts'
import type { Tally } from './client.ts'
import type { Mark, MarkOperation } from './marks.ts'
import { MARKED } from './marks.ts'
import type { Random } from './random.ts'
import type { System } from './system.ts'

/** Snapshots at hand: later ones take the place of earlier ones. */
const KEPT = 3
const PAUSE_MS = { least: 100, most: 900 }

/** Takes snapshots of a system and restores them into it while it is used and broken, and remembers when. */
export class Restores {
  readonly #system: System
  readonly #random: Random
  readonly #tally: Tally
  readonly #marks: MarkOperation[] = []
  readonly #kept: { readonly of: number; readonly bytes: Buffer }[] = []
  #taken = 0

  constructor(system: System, random: Random, tally: Tally) {
    this.#system = system
    this.#random = random
    this.#tally = tally
  }

  /** What was done, as operations on everything. */
  marks(): readonly MarkOperation[] {
    return this.#marks
  }

  /** One snapshot or restore, after a pause; whether a restore was acknowledged. */
  async operate(): Promise<boolean> {
    await wait(PAUSE_MS.least + this.#random.below(PAUSE_MS.most - PAUSE_MS.least))
    if (this.#kept.length > 0 && this.#random.chance(0.5)) return this.#restore()
    await this.#take()
    return false
  }

  async #take(): Promise<void> {
    const call = performance.now()
    const of = this.#taken++
    try {
      const bytes = await download(this.#url(), this.#system.rootToken())
      this.#note({ do: 'snapshot', of }, call, performance.now())
      if (this.#kept.length === KEPT) this.#kept.shift()
      this.#kept.push({ of, bytes })
      this.#tally.add('snapshots')
    } catch {
      // It was broken off, and nobody has it.
      this.#tally.add('snapshots broken off')
    }
  }

  async #restore(): Promise<boolean> {
    const { of, bytes } = this.#random.of(this.#kept)
    const call = performance.now()
    const note = (end: number): void => this.#note({ do: 'restore', of }, call, end)
    try {
      const url = this.#url()
      const told = await upload(url, 'sys/storage/snapshot', this.#system.rootToken(), bytes)
      if (told.status < 300) {
        note(performance.now())
        this.#tally.add('restores')
        return true
      }
      const said = JSON.stringify(told.body)
      this.#tally.add(`restores answered ${told.status} ${said.slice(0, 150)}`)
      if (told.status !== 503 && told.status !== 500) {
        this.#tally.strange.push(`a restore: ${told.status} ${said}`)
      }
      if (!/nothing was changed|is sealed|another restore/.test(said)) note(Infinity)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      this.#tally.add(`restores without an answer`)
      if (code !== 'ECONNREFUSED') note(Infinity)
    }
    return false
  }

  #url(): string {
    return this.#random.of(this.#system.urls())
  }

  #note(input: Mark, call: number, end: number): void {
    this.#marks.push({ input, output: end === Infinity ? undefined : MARKED, call, end })
  }
}
