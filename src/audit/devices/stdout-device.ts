import type { AuditDevice, DeviceHost } from '../device.ts'
import { LineQueue } from '../line-queue.ts'

const DONE = Promise.resolve()

/** Writes entries to the standard output, which is the process's own: never closed. */
export const stdoutDevice = ({ stdout }: DeviceHost): AuditDevice => {
  const queue = new LineQueue(
    (text) =>
      new Promise((resolve, reject) => {
        stdout.write(text, (error) => (error ? reject(error) : resolve()))
      }),
  )
  return {
    open: () => DONE,
    write: (line) => queue.push(line),
    reopen: () => DONE,
    close: () => queue.between(() => DONE),
  }
}
