/** Questions that go out as messages, and whose answers come back as messages of the same number. */
export class Questions<Q, A> {
  readonly #send: (number: number, question: Q) => void
  readonly #waiting = new Map<number, (answer: A) => void>()
  #next = 1

  /** `send` sends a question with its number, which `answered` gets back. */
  constructor(send: (number: number, question: Q) => void) {
    this.#send = send
  }

  ask(question: Q): Promise<A> {
    return new Promise((resolve) => {
      const number = this.#next++
      this.#waiting.set(number, resolve)
      this.#send(number, question)
    })
  }

  answered(number: number, answer: A): void {
    this.#waiting.get(number)?.(answer)
    this.#waiting.delete(number)
  }
}
