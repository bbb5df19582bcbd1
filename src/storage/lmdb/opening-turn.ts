import { statSync } from 'node:fs'
import { createServer } from 'node:net'
import type { Server } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'

const LOOK_MS = 5

/** Listens under a name of Linux's abstract namespace, which one process has at most and which is gone with it; undefined when it is taken. */
const bind = (name: string): Promise<Server | undefined> =>
  new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    )
    server.listen(`\0${name}`, () => {
      server.unref()
      resolve(server)
    })
  })

/**
 * Resolves when no other process of this network namespace is about to open the data of this folder, which is there, to what ends the
 * turn: of two servers that start in one instant, neither would see the other, and what one writes while the other opens can be lost
 * (see `LmdbStore.hold`). The name may be held by somebody who has no business with it: after so long it goes on without. Only Linux has
 * such names; elsewhere there is no turn.
 */
export const openingTurn = async (folder: string, withinMs: number): Promise<() => void> => {
  if (process.platform !== 'linux') return () => {}
  const { dev, ino } = statSync(folder, { bigint: true })
  for (const end = performance.now() + withinMs; ;) {
    const server = await bind(`signet-opens-${dev}-${ino}`)
    if (server !== undefined) return () => void server.close()
    if (performance.now() > end) return () => {}
    await wait(LOOK_MS)
  }
}
