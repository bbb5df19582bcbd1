// Loaded by a supervisor before all else: writes every message between it and its workers to the file named in IPC_RECORD.
import childProcess from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { serialize } from 'node:v8'

const keep = (message) => appendFileSync(process.env.IPC_RECORD, serialize(message))

const { fork } = childProcess
childProcess.fork = (...words) => {
  const child = fork(...words)
  const { send } = child
  child.send = (message, ...rest) => {
    keep(message)
    return send.call(child, message, ...rest)
  }
  child.on('message', keep)
  return child
}
syncBuiltinESMExports()
