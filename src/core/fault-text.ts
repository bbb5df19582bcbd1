import { BarrierBroken } from '../barrier/barrier-broken.ts'

/** What a client is told of a fault of the server: nothing of its cause, but for stored records that were damaged. */
export const faultText = (error: unknown): string =>
  error instanceof BarrierBroken
    ? 'a stored record that this request needs is damaged: the log of the server names its key'
    : 'internal error'
