import type { Proof } from '../../engine/ports/seal.ts'

/** Proofs that wait for their commit at a time; each is a request under way. */
const REMEMBERED = 64

/**
 * Proofs that requests have brought: the keys of one are forgotten as soon as they are judged, but a request whose caller
 * or keyring changed meanwhile is decided anew, and must not have to bring them again.
 */
export class Proofs {
  readonly #proved = new Set<string>()

  /** What `prove` says, asked once for a request whose keys prove it. */
  async of(requestId: string, prove: () => Promise<Proof>): Promise<Proof> {
    if (this.#proved.has(requestId)) return { kind: 'proved' }
    const proof = await prove()
    if (proof.kind !== 'proved') return proof
    const [oldest] = this.#proved
    if (this.#proved.size >= REMEMBERED) this.#proved.delete(oldest!)
    this.#proved.add(requestId)
    return proof
  }
}
