/** A policy text that is refused; the message is what the reference says after `failed to parse policy: `. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError'
}
