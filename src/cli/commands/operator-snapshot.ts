import { createReadStream } from 'node:fs'
import { open, rename, rm, stat } from 'node:fs/promises'
import { loadConfig } from '../../config/load-config.ts'
import type { StorageConfig } from '../../config/server-config.ts'
import type { Inspected } from '../../server.ts'
import { inspectSnapshot, restoreSnapshot } from '../../server.ts'
import { ApiError, TransportError } from '../../client/api-error.ts'
import type { Call, Command } from '../command.ts'
import { asking, say, warn } from '../command.ts'
import { localFailure } from '../failure.ts'
import { printRecord } from '../print-record.ts'
import { ProgressBar } from '../progress-bar.ts'

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error)

/** What goes wrong with files and folders ends the command with its reason. */
const locally = async <T>(what: string, run: () => Promise<T>): Promise<T> => {
  try {
    return await run()
  } catch (error) {
    if (error instanceof ApiError || error instanceof TransportError) throw error
    throw localFailure(`${what}: ${messageOf(error)}`)
  }
}

const megabytes = (bytes: number): string => `${(bytes / 1_048_576).toFixed(1)} MiB`

const save = async (call: Call): Promise<number> => {
  const file = call.args[0] ?? ''
  const part = `${file}.part`
  // Copying a large store may take longer than any answer.
  const client = (await call.client()).with({ timeoutMilliseconds: 0 })
  const answer = await asking('Error taking a snapshot', () =>
    client.open({ method: 'GET', path: 'sys/storage/snapshot' }),
  )
  const bar = new ProgressBar(call.io.stderr)
  let bytes = 0
  const inspected = await asking('Error taking a snapshot', () =>
    locally(`Error writing ${file}`, async () => {
      const handle = await open(part, 'w', 0o600)
      try {
        for await (const piece of answer.body) {
          await handle.writeFile(piece)
          bytes += piece.length
          bar.show(0, undefined, megabytes(bytes))
        }
        await handle.sync()
        await handle.close()
        // Read back from the disk: a backup that was never read is none.
        const checked = await inspectSnapshot(part)
        await rename(part, file)
        return checked
      } catch (error) {
        await handle.close()
        await rm(part, { force: true })
        throw error
      } finally {
        bar.clear()
      }
    }),
  )
  if (call.format !== 'table') return show(call, inspected)
  say(call.io, `Success! Saved ${inspected.entries} entries (${megabytes(bytes)}) to ${file}`)
  return 0
}

const show = (call: Call, { header, entries, digest, kinds }: Inspected): number => {
  const { created, version, storage, cluster, seal } = header
  return printRecord(
    call,
    [
      ['Created', created],
      ['Server', `Signet ${version} on ${storage}`],
      ['Cluster', `${cluster.name} (${cluster.id})`],
      ['Seal', `${seal.type}, ${seal.threshold} of ${seal.shares} keys, ${seal.nonce}`],
      ['Checksum', `${digest}, verified`],
      ['Entries', String(entries)],
      ['Entities', String(kinds['e'] ?? 0)],
      ['Groups', String(kinds['g'] ?? 0)],
      ['Tokens', String(kinds['t'] ?? 0)],
    ],
    {
      created,
      version,
      storage,
      cluster_name: cluster.name,
      cluster_id: cluster.id,
      seal_type: seal.type,
      seal_threshold: seal.threshold,
      seal_shares: seal.shares,
      seal_nonce: seal.nonce,
      checksum: digest,
      entries,
      kinds,
    },
  )
}

/** The storage of a server that does not run; undefined: a server that runs is asked. */
const storageOf = async (call: Call): Promise<StorageConfig | undefined> => {
  const data = call.flags.text('data') ?? ''
  const config = call.flags.list('config')
  if (data === '' && config.length === 0) return undefined
  if (data !== '' && config.length > 0) {
    throw localFailure(
      'Name one storage: -config with the configuration of the server, or -data=FOLDER',
    )
  }
  if (data !== '') return { kind: 'lmdb', path: data }
  return (await locally('Error reading the configuration', () => loadConfig(config))).storage
}

/** The pieces of a file, shown as they are sent. */
const shownPieces = async function* (
  file: string,
  bytes: number,
  bar: ProgressBar,
): AsyncIterable<Uint8Array> {
  let sent = 0
  for await (const piece of createReadStream(file)) {
    yield piece as Buffer
    sent += (piece as Buffer).length
    bar.show(sent, bytes, sent < bytes ? megabytes(sent) : 'the server restores it')
  }
}

const restoreRunning = async (call: Call, file: string): Promise<number> => {
  // Before it is sent: what is no snapshot need not travel.
  const inspected = await locally(`Error reading ${file}`, () => inspectSnapshot(file))
  const { size } = await locally(`Error reading ${file}`, () => stat(file))
  // Making the data of a large store may take longer than any answer.
  const client = (await call.client()).with({ timeoutMilliseconds: 0 })
  const force = call.flags.boolean('force')
  const bar = new ProgressBar(call.io.stderr)
  const answer = await asking(`Error restoring ${file}`, async () => {
    const stream = { bytes: size, pieces: shownPieces(file, size, bar) }
    const opened = await client.open({
      method: 'PUT',
      path: force ? 'sys/storage/snapshot-force' : 'sys/storage/snapshot',
      contentType: 'application/octet-stream',
      stream,
    })
    const chunks: Buffer[] = []
    for await (const chunk of opened.body) chunks.push(chunk)
    return JSON.parse(Buffer.concat(chunks).toString()) as {
      readonly data: { readonly sealed: boolean; readonly kept_as: string }
      readonly warnings: readonly string[] | null
    }
  }).finally(() => bar.clear())
  for (const text of answer.warnings ?? []) warn(call.io, `WARNING! ${text}`)
  if (call.format !== 'table') return show(call, inspected)
  say(call.io, `Success! Restored ${inspected.entries} entries of ${inspected.header.created}`)
  const { sealed, kept_as: keptAs } = answer.data
  if (keptAs !== '') {
    say(call.io, `What was there before is in ${keptAs} on the server: delete it once all is well`)
  }
  if (sealed) say(call.io, 'The server is sealed: unseal it with the keys of the snapshot')
  return 0
}

const restore = async (call: Call): Promise<number> => {
  const file = call.args[0] ?? ''
  const storage = await storageOf(call)
  if (storage === undefined) return restoreRunning(call, file)
  const bar = new ProgressBar(call.io.stderr)
  const restored = await locally(`Error restoring ${file}`, () =>
    restoreSnapshot(file, storage, {
      force: call.flags.boolean('force'),
      onProgress: (entries, of) => bar.show(entries, of, `${entries} entries`),
    }),
  ).finally(() => bar.clear())
  if (call.format !== 'table') return show(call, restored)
  say(call.io, `Success! Restored ${restored.entries} entries of ${restored.header.created}`)
  if (restored.replaced !== undefined) {
    say(call.io, `What was there before is in ${restored.replaced}: delete it once all is well`)
  }
  say(call.io, 'Start the server and unseal it with the keys of the snapshot')
  return 0
}

/** `signet operator snapshot save`. */
export const snapshotSave: Command = {
  usage: '[flags] FILE',
  help:
    'Saves everything the server stores to a file, while it serves: as of one instant, sealed as on disk. ' +
    'The file opens only with the unseal keys of this server; keep both, apart from each other.',
  flags: [],
  args: { min: 1, max: 1 },
  flagsAnywhere: true,
  run: save,
}

/** `signet operator snapshot restore`. */
export const snapshotRestore: Command = {
  usage: '[flags] FILE',
  help:
    'Puts the data of a snapshot in the place of all that a running server stores, while it serves. With -config or -data, of a ' +
    'server that does not run: a data folder, whose data it replaces and keeps beside it, or an empty database. ' +
    'A file that is not whole, or of another seal, changes nothing.',
  flags: [
    {
      name: 'config',
      kind: 'list',
      help: 'The configuration of a server that does not run; repeatable.',
    },
    { name: 'data', kind: 'text', help: 'The data folder, in place of -config.' },
    { name: 'force', kind: 'boolean', help: 'Also in place of data under another seal.' },
  ],
  args: { min: 1, max: 1 },
  flagsAnywhere: true,
  run: restore,
}

/** `signet operator snapshot inspect`. */
export const snapshotInspect: Command = {
  usage: '[flags] FILE',
  help: 'Reads a snapshot file whole, verifies its checksum and shows what it holds. Needs no server and no keys.',
  flags: [],
  args: { min: 1, max: 1 },
  flagsAnywhere: true,
  run: async (call) => {
    const file = call.args[0] ?? ''
    return show(call, await locally(`Error reading ${file}`, () => inspectSnapshot(file)))
  },
}
