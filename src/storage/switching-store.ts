import type { Commit, Deadline, Entry, Key, ListRange, Store } from './store.ts'

/** A store under which another can be put while others hold it: a restore replaces all data at once. */
export class SwitchingStore<S extends Store = Store> implements Store {
  #current: S

  constructor(current: S) {
    this.#current = current
  }

  /** The one that answers now. */
  get current(): S {
    return this.#current
  }

  /** From now on this one answers; what becomes of the other is the caller's business. */
  switchTo(next: S): void {
    this.#current = next
  }

  read(keys: readonly Key[], deadline: Deadline) {
    return this.#current.read(keys, deadline)
  }

  versions(keys: readonly Key[], deadline: Deadline) {
    return this.#current.versions(keys, deadline)
  }

  list(range: ListRange, deadline: Deadline) {
    return this.#current.list(range, deadline)
  }

  commit(commit: Commit, deadline: Deadline) {
    return this.#current.commit(commit, deadline)
  }

  epoch() {
    return this.#current.epoch()
  }

  snapshot(signal: AbortSignal): AsyncIterable<Entry> {
    return this.#current.snapshot(signal)
  }

  close() {
    return this.#current.close()
  }
}
