import type { Breather } from './breather.ts'

/** Work that can stop at each `yield`, and comes to a value. */
export type Slices<T> = Generator<undefined, T>

/** Does the work in one go. */
export const atOnce = <T>(work: Slices<T>): T => {
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
  }
}

/** Does the work while others run. */
export const inSlices = async <T>(work: Slices<T>, breather: Breather): Promise<T> => {
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
    await breather.due()
  }
}
