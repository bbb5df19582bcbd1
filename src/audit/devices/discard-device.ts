import type { AuditDevice } from '../device.ts'

const DONE = Promise.resolve()

/** Takes everything and keeps nothing: to have audit on, and its cost measured, without a log. */
export const discardDevice: AuditDevice = {
  open: () => DONE,
  write: () => DONE,
  reopen: () => DONE,
  close: () => DONE,
}
