/**
 * One load at a time for all who ask. Who asks while one goes on gets the next: the present one may have looked before a change that
 * the asker knows of (architecture.md A2). So what a load puts in its place is never older than what stood there.
 */
export const freshLoad = <T>(load: () => Promise<T>): (() => Promise<T>) => {
  let present: Promise<T> | undefined
  let next: Promise<T> | undefined
  const begin = (): Promise<T> => {
    next = undefined
    present = load().finally(() => {
      if (next === undefined) present = undefined
    })
    return present
  }
  return () => {
    if (present === undefined) return begin()
    next ??= present.then(begin, begin)
    return next
  }
}
