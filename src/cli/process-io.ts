import { writeSync } from 'node:fs'
import { homedir } from 'node:os'
import { isatty } from 'node:tty'
import { join } from 'node:path'
import { localFailure } from './failure.ts'
import type { CommandIo, Output } from './io.ts'

/** The process around the command line. */
export const processIo = (): CommandIo => ({
  stdout: output(1),
  stderr: output(2),
  env: process.env,
  home: process.env['HOME'] ?? homedir(),
  checkout: join(import.meta.dirname, '..', '..'),
  readStdin,
  promptHidden,
})

// Written at once: process.stdout is set up at some cost, and its pipe may be cut off by an exit.
const output = (descriptor: 1 | 2): Output => ({
  get isTTY() {
    return isatty(descriptor)
  },
  write(text) {
    let rest: Buffer = Buffer.from(text)
    while (rest.length > 0) {
      try {
        rest = rest.subarray(writeSync(descriptor, rest))
      } catch (error) {
        const code = error instanceof Error && 'code' in error ? error.code : undefined
        // A reader that has seen enough (`| head`) ends the command quietly.
        if (code === 'EPIPE') process.exit(0)
        // A full pipe that does not block: its reader is slower than we are.
        if (code !== 'EAGAIN') throw error
        Atomics.wait(pause, 0, 0, 1)
      }
    }
  },
})

const pause = new Int32Array(new SharedArrayBuffer(4))

const readStdin = async (): Promise<string> => {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

const promptHidden = async (question: string): Promise<string | undefined> => {
  const input = process.stdin
  if (!input.isTTY) return undefined
  writeSync(2, question)
  input.setRawMode(true)
  input.setEncoding('utf8')
  try {
    return await hiddenLine()
  } finally {
    input.setRawMode(false)
    input.pause()
    writeSync(2, '\n')
  }
}

const hiddenLine = async (): Promise<string> =>
  await new Promise((resolve, reject) => {
    let line = ''
    const onData = (text: string): void => {
      for (const char of text) {
        if (char === '\r' || char === '\n' || char === '\u0004') {
          process.stdin.off('data', onData)
          resolve(line)
          return
        }
        if (char === '\u0003') {
          process.stdin.off('data', onData)
          reject(localFailure('interrupted'))
          return
        }
        if (char === '\u007f' || char === '\b') line = Array.from(line).slice(0, -1).join('')
        else line += char
      }
    }
    process.stdin.on('data', onData)
  })
