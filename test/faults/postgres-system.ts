import { setTimeout as wait } from 'node:timers/promises'
import type { TestPostgres } from '../support/postgres.ts'
import { startPostgres } from '../support/postgres.ts'
import { WorkerServer } from '../support/worker-server.ts'
import type { Random } from './random.ts'
import type { Fault, System } from './system.ts'

/** For a node to be started and unsealed, the database being away for a while included. */
const MEND_MS = 60_000
const AGAIN_MS = 50
/** Less than the clients' patience, more than many requests take. */
const PAUSE_MS = { least: 50, most: 1_500 }
const AWAY_MS = 500
/** How far the clock of the database is set off. Less than what is remembered of commits. */
const CLOCK_MS = 1_200_000

/** A server process on the database, which is started and unsealed again whenever it was ended. */
class DatabaseNode {
  readonly server: WorkerServer
  /** Settled while the node is whole. */
  #mending: Promise<void> = Promise.resolve()
  #whole = true

  private constructor(server: WorkerServer) {
    this.server = server
  }

  static async prepare(database: TestPostgres, nodes: number): Promise<DatabaseNode> {
    const storage = `storage "postgresql" {
  connection_url = "${database.url}"
  processes = ${nodes}
}`
    return new DatabaseNode(await WorkerServer.prepare(1, '', storage))
  }

  /** Whether it runs and is unsealed. */
  get whole(): boolean {
    return this.#whole
  }

  /** Ends it, and starts it again behind the caller's back: the others serve meanwhile. */
  async end(signal: NodeJS.Signals): Promise<void> {
    this.#whole = false
    const { code, stderr } = await this.server.stop(signal)
    // Killed by us, or well: a node that ended by itself has failed.
    if (code !== (signal === 'SIGKILL' ? null : 0))
      throw new Error(`a node ended: ${code} ${stderr}`)
    this.#mending = this.#mend()
    // Told by `mended`.
    this.#mending.catch(() => {})
  }

  /** Resolves when it serves; rejects when it cannot be brought to it. */
  mended(): Promise<void> {
    return this.#mending
  }

  async #mend(): Promise<void> {
    await insist(() => this.server.start())
    await insist(() => this.server.unseal())
    this.#whole = true
  }
}

const insist = async (step: () => Promise<void>): Promise<void> => {
  const until = performance.now() + MEND_MS
  for (;;) {
    try {
      await step()
      return
    } catch (error) {
      if (performance.now() > until) throw error
      await wait(AGAIN_MS)
    }
  }
}

/**
 * Nodes on one PostgreSQL, all active: a node is killed, stopped or held, the database crashes, its clock is set, or their connections
 * are cut. Faults overlap: a node starts while the next one strikes. Call `skipWithout('postgres')` before.
 */
export const postgresSystem = async (count: number): Promise<System> => {
  const database = await startPostgres()
  const nodes: DatabaseNode[] = []
  for (let node = 0; node < count; node++) nodes.push(await DatabaseNode.prepare(database, count))
  const [first] = nodes

  /** One that runs; waits when there is none. */
  const present = async (random: Random): Promise<DatabaseNode> => {
    await Promise.any(nodes.map((node) => node.mended()))
    return random.of(nodes.filter(({ whole }) => whole))
  }
  const faults: readonly Fault[] = [
    {
      name: 'a node is killed',
      weight: 6,
      strike: async (random) => (await present(random)).end('SIGKILL'),
    },
    {
      name: 'a node is stopped gently',
      weight: 2,
      strike: async (random) => (await present(random)).end('SIGTERM'),
    },
    {
      // It wakes with caches and half-done requests of a time that is over.
      name: 'a node is held',
      weight: 3,
      strike: async (random) => {
        const { process } = (await present(random)).server
        process.signal('SIGSTOP')
        await wait(PAUSE_MS.least + random.below(PAUSE_MS.most - PAUSE_MS.least))
        process.signal('SIGCONT')
      },
    },
    {
      name: 'all connections to the database are cut',
      weight: 4,
      strike: async () => {
        await database.run(
          `select pg_terminate_backend(pid) from pg_stat_activity
           where backend_type = 'client backend' and pid <> pg_backend_pid()`,
        )
      },
    },
    {
      name: 'the clock of the database is set',
      weight: 3,
      strike: (random) => database.setClock(random.below(2 * CLOCK_MS) - CLOCK_MS),
    },
    {
      name: 'the database crashes',
      weight: 2,
      strike: async (random) => {
        await database.halt('crash')
        await wait(random.below(AWAY_MS))
        await database.start()
      },
    },
    {
      name: 'the database crashes and a node is killed',
      weight: 1,
      strike: async (random) => {
        const node = await present(random)
        await Promise.all([database.halt('crash'), node.end('SIGKILL')])
        await database.start()
      },
    },
  ]
  return {
    name: `${count} nodes on PostgreSQL`,
    start: async () => {
      await Promise.all(nodes.map(({ server }) => server.start()))
      await first!.server.initialise()
      for (const { server } of nodes) {
        server.keys = first!.server.keys
        server.root = first!.server.root
        await server.unseal()
      }
    },
    urls: () => nodes.map(({ server }) => server.url),
    rootToken: () => first!.server.root,
    faults,
    restart: async () => {
      await Promise.all(nodes.map((node) => node.mended()))
      await Promise.all(nodes.map((node) => node.end('SIGTERM')))
      await database.halt('fast')
      await database.start()
      await Promise.all(nodes.map((node) => node.mended()))
    },
    remove: async () => {
      await Promise.allSettled(nodes.map((node) => node.mended()))
      await Promise.all(nodes.map(({ server }) => server.remove()))
      await database.stop()
    },
  }
}
