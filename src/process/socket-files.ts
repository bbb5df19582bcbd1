import { rmSync } from 'node:fs'
import type { ListenerConfig } from '../config/server-config.ts'

/** Where a socket file is made before it gets its name: a process that ends removes what it made, not what took its place. */
export const unnamedSocket = (path: string): string => `${path}.new`

/** Removes the socket files of listeners that are closed. */
export const removeSocketFiles = (listeners: readonly ListenerConfig[]): void => {
  for (const listener of listeners) {
    if (listener.kind === 'unix') rmSync(listener.path, { force: true })
  }
}
