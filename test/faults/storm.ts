import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises'
import { Client, Tally } from './client.ts'
import { Random } from './random.ts'
import { Restores } from './restores.ts'
import type { Subject } from './subject.ts'
import { accessSubject } from './subjects/access.ts'
import { doorSubject } from './subjects/door.ts'
import { expirySubject } from './subjects/expiry.ts'
import { loginSubject } from './subjects/login.ts'
import { membersSubject } from './subjects/members.ts'
import { namesSubject } from './subjects/names.ts'
import { secretSubject } from './subjects/secret.ts'
import { shelfSubject } from './subjects/shelf.ts'
import { restoredTokenSubject, tokenSubject } from './subjects/token.ts'
import type { Fault, System } from './system.ts'

/** What a storm is made of. */
export interface StormOptions {
  readonly seed: number
  readonly ms: number
  readonly clients: number
  /** Snapshots are taken and restored meanwhile; then only what can tell how is used. */
  readonly restores?: boolean
  /** Hears of each fault. */
  readonly log?: (line: string) => void
}

/** What came of a storm. */
export interface Report {
  readonly operations: number
  readonly subjects: number
  /** How often each fault struck, and how often while something was being written. */
  readonly struck: ReadonlyMap<string, number>
  readonly whileWriting: number
  /** What became of the requests, by answer or error. */
  readonly counts: ReadonlyMap<string, number>
  /** What no order of the operations explains, and answers that no fault excuses. Empty: nothing was lost. */
  readonly violations: readonly string[]
}

/** Things in use at a time: few, so that clients meet. */
const IN_USE = 8
/** Then another takes its place: a search must stay short. */
const OPERATIONS_EACH = 90
const RESTORED_OPERATIONS_EACH = 60
const CALM_MS = { least: 20, most: 300 }
/** Where there are restores: some are to come through. */
const RESTORING_CALM_MS = { least: 20, most: 2_000 }
/** A fault strikes at most so long after something began to be written. */
const STRIKE_MS = 50
const ANSWERS_BETWEEN = 40

type Make = (id: string, client: Client) => Subject | Promise<Subject>
const KINDS: readonly Make[] = [
  secretSubject,
  namesSubject,
  membersSubject,
  tokenSubject,
  expirySubject,
  loginSubject,
  doorSubject('person'),
  doorSubject('group'),
  accessSubject,
  // Twice: each of its things has many sides.
  accessSubject,
]

type MakeRestored = (id: string, restores: Restores) => Subject
const RESTORED_KINDS: readonly MakeRestored[] = [shelfSubject, shelfSubject, restoredTokenSubject]

/** Many clients use a system while it is broken again and again; then everything that they saw is checked. */
export const storm = async (system: System, options: StormOptions): Promise<Report> => {
  await system.start()
  const run = new Storm(system, options)
  return run.report()
}

class Storm {
  readonly #system: System
  readonly #options: StormOptions
  readonly #tally = new Tally()
  readonly #random: Random
  readonly #clients: readonly Client[]
  readonly #used: Subject[] = []
  readonly #retired: Subject[] = []
  readonly #retiring = new Set<Subject>()
  readonly #restores: Restores | undefined
  readonly #struck = new Map<string, number>()
  #made = 0
  #whileWriting = 0
  #over = false

  constructor(system: System, options: StormOptions) {
    this.#system = system
    this.#options = options
    this.#random = new Random(options.seed)
    if (options.restores === true) {
      const random = new Random(this.#random.below(2 ** 32))
      this.#restores = new Restores(system, random, this.#tally)
    }
    this.#clients = Array.from(
      { length: options.clients },
      () => new Client(system, new Random(this.#random.below(2 ** 32)), this.#tally),
    )
  }

  async report(): Promise<Report> {
    const [first] = this.#clients
    await first!.insist({ path: 'sys/mounts/secret', body: { type: 'kv-v2' } }, [204, 400])
    await first!.insist({ path: 'sys/auth/approle', body: { type: 'approle' } }, [204, 400])
    for (let place = 0; place < IN_USE; place++) this.#used.push(await this.#make(first!))
    const ended = wait(this.#options.ms).then(() => (this.#over = true))
    const restoring = this.#restores === undefined ? [] : [this.#restore(this.#restores)]
    await Promise.all([
      ended,
      this.#break(),
      ...restoring,
      ...this.#clients.map((client) => this.#use(client)),
    ])
    // What was acknowledged must be on the disk, not in a process.
    await this.#system.restart()
    const subjects = [...this.#retired, ...this.#used]
    // What was restored since they were used last makes the search for an order long, and says no more.
    const left = this.#restores === undefined ? [...subjects] : [...this.#used]
    await Promise.all(
      this.#clients.map(async (client) => {
        for (let next = left.pop(); next !== undefined; next = left.pop()) {
          await next.inspect(client)
        }
      }),
    )
    return {
      operations: subjects.reduce((sum, { operations }) => sum + operations, 0),
      subjects: subjects.length,
      struck: this.#struck,
      whileWriting: this.#whileWriting,
      counts: this.#tally.counts,
      violations: [
        ...subjects.flatMap((subject) => subject.fault() ?? []),
        ...this.#tally.strange.map((what) => `strange: ${what}`),
      ],
    }
  }

  /** Every kind in turn; ids differ between storms on one system. */
  async #make(client: Client): Promise<Subject> {
    const number = this.#made++
    if (this.#restores !== undefined) {
      const make = RESTORED_KINDS[number % RESTORED_KINDS.length]!
      return make(`s${this.#options.seed}-${number}`, this.#restores)
    }
    return KINDS[number % KINDS.length]!(`s${this.#options.seed}-${number}`, client)
  }

  async #use(client: Client): Promise<void> {
    while (!this.#over) {
      const place = client.random.below(IN_USE)
      const subject = this.#used[place]!
      const most = this.#restores === undefined ? OPERATIONS_EACH : RESTORED_OPERATIONS_EACH
      if (subject.operations >= most && !this.#retiring.has(subject)) {
        this.#retiring.add(subject)
        this.#used[place] = await this.#make(client)
        this.#retired.push(subject)
      } else await subject.operate(client)
    }
  }

  /** All that is in use is read as soon as something was restored. */
  async #restore(restores: Restores): Promise<void> {
    while (!this.#over) {
      if (!(await restores.operate())) continue
      this.#options.log?.('a snapshot was restored')
      await Promise.all(
        this.#used.map((subject, place) =>
          subject.inspect(this.#clients[place % this.#clients.length]!),
        ),
      )
    }
  }

  async #break(): Promise<void> {
    const calm = this.#restores === undefined ? CALM_MS : RESTORING_CALM_MS
    while (!this.#over) {
      await wait(calm.least + this.#random.below(calm.most - calm.least))
      while (this.#tally.writing === 0 && !this.#over) await turn()
      await wait(this.#random.below(STRIKE_MS))
      if (this.#over) return
      const fault = this.#choose()
      if (this.#tally.writing > 0) this.#whileWriting++
      this.#struck.set(fault.name, (this.#struck.get(fault.name) ?? 0) + 1)
      this.#options.log?.(`${fault.name}, ${this.#tally.writing} writes under way`)
      await fault.strike(this.#random)
      await this.#recovered()
    }
  }

  /** Until some requests were answered again: who breaks what is broken already tests nothing. */
  async #recovered(): Promise<void> {
    const answered = (): number => this.#tally.counts.get('answered') ?? 0
    const enough = answered() + ANSWERS_BETWEEN
    while (answered() < enough && !this.#over) await wait(5)
  }

  #choose(): Fault {
    const { faults } = this.#system
    let at = this.#random.fraction() * faults.reduce((sum, { weight }) => sum + weight, 0)
    for (const fault of faults) {
      at -= fault.weight
      if (at < 0) return fault
    }
    return faults[0]!
  }
}
