import { mkdtempSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import type { Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/** What the socket of a data folder answers to whoever connects. */
export interface OwnerAnswer {
  /** False while the process has not claimed the folder yet. */
  readonly owner: boolean
  readonly pid: number
  readonly host: string
}

/** `dead`: nobody listens. `silent`: somebody does, but did not say who within the time. */
export type Probe = OwnerAnswer | 'dead' | 'silent'

/** A socket that listens in the folder. */
export interface OwnerSocket {
  /** Whether its file is still the one it was bound to. */
  stands(): boolean
  close(): Promise<void>
}

/** Linux takes 107 bytes and a zero, macOS 103; longer paths are reached through a short link. */
const PATH_BYTES = 103
/** A stopped process answers nothing and is still the owner. */
const ANSWER_MS = 200
const ANSWER_BYTES = 1024
const NAME = /^owner-[0-9a-f]{16}\.sock$/

/** The name of the socket of a claim. */
export const socketName = (nonce: string): string => `owner-${nonce}.sock`

/** The names of all such sockets in the folder, dead ones included; none if there is no folder. */
export const socketNames = (folder: string): string[] => {
  try {
    return readdirSync(folder).filter((name) => NAME.test(name))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** Runs with a path to the folder's socket that is short enough for the system. */
const withShortPath = async <T>(
  folder: string,
  name: string,
  run: (path: string) => Promise<T>,
): Promise<T> => {
  const path = join(folder, name)
  if (Buffer.byteLength(path) <= PATH_BYTES) return run(path)
  const place = mkdtempSync(join(tmpdir(), 'signet-'))
  try {
    symlinkSync(resolve(folder), join(place, 'd'))
    return await run(join(place, 'd', name))
  } finally {
    rmSync(place, { recursive: true })
  }
}

const parseAnswer = (text: string): OwnerAnswer | 'silent' => {
  try {
    const { owner, pid, host } = JSON.parse(text) as Partial<OwnerAnswer>
    return { owner: owner === true, pid: Number(pid), host: String(host) }
  } catch {
    return 'silent'
  }
}

const ask = async (path: string): Promise<Probe> =>
  new Promise((settle, reject) => {
    let text = ''
    const socket = connect(path)
    const end = (probe: Probe): void => {
      socket.destroy()
      settle(probe)
    }
    socket.setTimeout(ANSWER_MS, () => end('silent'))
    socket.setEncoding('utf8')
    socket.on('data', (part: string) => {
      text += part
      if (text.length > ANSWER_BYTES) end('silent')
    })
    socket.on('end', () => end(parseAnswer(text)))
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') end('dead')
      // Its queue of connections is full, or it closed while it was asked: there was somebody.
      else if (error.code === 'EAGAIN' || error.code === 'ECONNRESET') end('silent')
      else reject(error)
    })
  })

/** Asks the socket of this name in the folder who listens. Throws an Error when the socket may not be used. */
export const probeSocket = async (folder: string, name: string): Promise<Probe> =>
  withShortPath(folder, name, ask)

const listening = async (server: Server, path: string): Promise<void> =>
  new Promise((done, reject) => {
    server.once('error', reject)
    server.listen(path, done)
  })

/** Listens under this name in the folder; tells each who connects what `answer` gives. Keeps no process alive. */
export const openSocket = async (
  folder: string,
  name: string,
  answer: () => OwnerAnswer,
): Promise<OwnerSocket> => {
  const server = createServer((socket) => {
    // Whoever hangs up before the answer has been answered enough.
    socket.on('error', () => socket.destroy())
    socket.end(JSON.stringify(answer()))
  })
  server.unref()
  await withShortPath(folder, name, async (path) => listening(server, path))
  const path = join(folder, name)
  const { ino } = statSync(path)
  return {
    stands: () => statSync(path, { throwIfNoEntry: false })?.ino === ino,
    close: async () => {
      await new Promise((done) => server.close(done))
      rmSync(path, { force: true })
    },
  }
}
