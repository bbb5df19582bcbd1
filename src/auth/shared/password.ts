import { availableParallelism } from 'node:os'
import { failed, invalid, Refusal } from '../../engine/refusal.ts'
import { limits } from '../../limits.ts'
import { threadedBcrypt } from './hash-threads.ts'

/** The two operations of bcrypt, off the event loop; a test counts them. */
export interface Bcrypt {
  hash(password: string, cost: number): Promise<string>
  verify(password: string, hash: string): Promise<boolean>
}

/** Password hashing that keeps to its share of the machine: the rest waits in line, first come first served. */
export interface Passwords {
  /** A hash to store. Refuses more than 72 bytes, which bcrypt would cut off. */
  hash(password: string): Promise<string>
  /** Whether the password is the hashed one. Without a hash it works as long for nothing and says false. */
  verifyOrDummy(hash: string | undefined, password: string): Promise<boolean>
}

const COST = 10
const MOST_BYTES = 72

/** A hash of random text, as costly as those made here: what an unknown user's password is compared with. */
const DUMMY = '$2b$10$1I3FgigK/1KsG4y20/PC9OSyy./UsYm9YLKBSEswN0jfBJNwa3l2q'

export interface PasswordsOptions {
  /** Default: threads of its own. */
  readonly bcrypt?: Bcrypt
  /** Hashes computed at once. Default: the cores, at most `limits.passwordsAtOnce`. */
  readonly atOnce?: number
}

/** One for the process: methods that share it share its bound. */
export const createPasswords = (options: PasswordsOptions = {}): Passwords => {
  const { bcrypt = threadedBcrypt() } = options
  const atOnce = options.atOnce ?? Math.min(availableParallelism(), limits.passwordsAtOnce)
  const waiting: (() => void)[] = []
  let running = 0

  const inTurn = async <T>(work: () => Promise<T>): Promise<T> => {
    if (running < atOnce) running++
    else if (waiting.length >= limits.passwordsWaiting) {
      throw new Refusal('unavailable', 'too many passwords are being checked; try again')
    } else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await work()
    } finally {
      // Whoever waits longest takes over this place, so `running` stays.
      const next = waiting.shift()
      if (next === undefined) running--
      else next()
    }
  }

  return {
    hash: async (password) => {
      if (Buffer.byteLength(password) > MOST_BYTES) {
        throw failed('bcrypt: password length exceeds 72 bytes')
      }
      return inTurn(() => bcrypt.hash(password, COST))
    },
    verifyOrDummy: async (hash, password) => {
      const equal = await inTurn(() => bcrypt.verify(password, hash ?? DUMMY))
      return hash !== undefined && equal
    },
  }
}

const HASH = /^\$2[abxy]\$(\d\d)\$[./A-Za-z0-9]{53}$/
const COST_LEAST = 5
const COST_MOST = 12

/** A bcrypt hash made elsewhere, to store as it is. Refuses (400) other texts, and costs too cheap to guard or too dear to check. */
export const checkedHash = (hash: string): string => {
  const [, costText] = HASH.exec(hash) ?? []
  if (costText === undefined) throw invalid('password_hash is not a valid bcrypt hash')
  const cost = Number(costText)
  if (cost < COST_LEAST) {
    throw invalid(`bcrypt cost of ${cost} is too low, want ${COST_LEAST} at minimum`)
  }
  if (cost > COST_MOST) {
    throw invalid(`bcrypt cost of ${cost} exceeds maximum cost of ${COST_MOST}`)
  }
  return hash
}
