import type { Output } from './io.ts'

const WIDTH = 30

/** A line on a terminal that is written over as work goes on; nothing at all elsewhere. */
export class ProgressBar {
  readonly #output: Output
  #length = 0

  constructor(output: Output) {
    this.#output = output
  }

  /** Shows how far it is; `total` undefined: not known. */
  show(done: number, total: number | undefined, rest: string): void {
    if (!this.#output.isTTY) return
    const share = total === undefined || total === 0 ? undefined : Math.min(done / total, 1)
    const full = Math.round((share ?? 0) * WIDTH)
    const bar =
      share === undefined
        ? ''
        : `[${'#'.repeat(full)}${' '.repeat(WIDTH - full)}] ${Math.floor(share * 100)}%  `
    const line = `${bar}${rest}`
    this.#output.write(`\r${line.padEnd(this.#length)}`)
    this.#length = line.length
  }

  /** Takes it away again. */
  clear(): void {
    if (this.#length === 0) return
    this.#output.write(`\r${' '.repeat(this.#length)}\r`)
    this.#length = 0
  }
}
