import { WorkerServer } from '../support/worker-server.ts'
import type { Random } from './random.ts'
import type { System } from './system.ts'

/** Workers on LMDB under one supervisor: a worker is killed and replaced, or the supervisor is and starts anew. */
export const workerSystem = async (workers: number): Promise<System> => {
  const server = await WorkerServer.prepare(workers)
  return {
    name: `${workers} workers on LMDB`,
    start: async () => {
      await server.start()
      await server.initialise()
      await server.unseal()
    },
    urls: () => [server.url],
    rootToken: () => server.root,
    faults: [
      {
        name: 'a worker or the spare is killed',
        weight: 9,
        strike: async (random: Random) => {
          const present = server.processes()
          // All may be dead, each just being replaced.
          if (present.length > 0) process.kill(random.of(present), 'SIGKILL')
        },
      },
      {
        name: 'the supervisor is killed',
        weight: 1,
        strike: async () => {
          await server.stop('SIGKILL')
          await server.start()
          await server.unseal()
        },
      },
    ],
    restart: async () => {
      await server.stop()
      await server.start()
      await server.unseal()
    },
    remove: () => server.remove(),
  }
}
