/** The connection is gone, or nothing came back in time: what was asked may have happened. */
export class Lost extends Error {
  override readonly name = 'Lost'
}

/** The server refused a statement and is ready for the next one: nothing of its transaction happened. */
export class Refused extends Error {
  override readonly name = 'Refused'
  /** PostgreSQL's SQLSTATE. */
  readonly code: string

  constructor(code: string, message: string) {
    super(`${message} (SQLSTATE ${code})`)
    this.code = code
  }
}

/** The server is there and cannot be used as it is set up: trying again does not help until somebody changes it. */
export class Unfit extends Error {
  override readonly name = 'Unfit'
}

/** SQLSTATEs that the adapter acts on. */
export const sqlState = {
  lockNotAvailable: '55P03',
  deadlock: '40P01',
  serialization: '40001',
  readOnly: '25006',
  protocolViolation: '08P01',
  noRight: '42501',
  /** Raised by our functions when the session would not be durable or would not read afresh. */
  unfitSession: 'SG001',
} as const

/** Trying again may succeed, and soon: somebody else was in the way. */
export const isContention = (error: Refused): boolean =>
  error.code === sqlState.lockNotAvailable ||
  error.code === sqlState.deadlock ||
  error.code === sqlState.serialization

/** This connection leads to a server that must not be used: let go of it. */
export const isUnfitSession = (error: Refused): boolean =>
  error.code === sqlState.unfitSession || error.code === sqlState.readOnly

/** Any error in one line. */
export const messageOf = (error: unknown): string => {
  if (error instanceof AggregateError && error.message === '') {
    return error.errors.map(messageOf).join(', ')
  }
  return error instanceof Error ? error.message : String(error)
}
