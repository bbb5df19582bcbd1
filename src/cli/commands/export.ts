import { open, rename, rm } from 'node:fs/promises'
import type { Call, Command } from '../command.ts'
import { asking, say } from '../command.ts'
import { localFailure } from '../failure.ts'
import { ProgressBar } from '../progress-bar.ts'

const run = async (call: Call): Promise<number> => {
  const client = await call.client()
  const file = call.flags.text('output') ?? ''
  const answer = await asking('Error exporting', () =>
    client.open({ method: 'GET', path: 'identity/export' }),
  )
  if (file === '') {
    // Pieces end anywhere, also in the middle of a letter.
    const decoder = new TextDecoder()
    await asking('Error exporting', async () => {
      for await (const piece of answer.body) {
        call.io.stdout.write(decoder.decode(piece, { stream: true }))
      }
    })
    return 0
  }
  const lines = await asking('Error exporting', () => writeWhole(call, file, answer.body))
  say(call.io, `Success! Exported ${lines} lines to ${file}`)
  return 0
}

/** Writes a file that is there only when it is whole. */
const writeWhole = async (
  call: Call,
  file: string,
  body: AsyncIterable<Buffer>,
): Promise<number> => {
  const part = `${file}.part`
  const bar = new ProgressBar(call.io.stderr)
  let lines = 0
  const handle = await open(part, 'w', 0o600).catch((error: unknown) => {
    throw localFailure(`Error writing ${part}: ${error instanceof Error ? error.message : ''}`)
  })
  try {
    for await (const piece of body) {
      await handle.writeFile(piece)
      for (const byte of piece) if (byte === 0x0a) lines++
      bar.show(lines, undefined, `${lines} lines`)
    }
    await handle.sync()
    await handle.close()
    await rename(part, file)
  } catch (error) {
    await handle.close()
    await rm(part, { force: true })
    throw error
  } finally {
    bar.clear()
  }
  return lines
}

/** `signet export`. */
export const exportIdentity: Command = {
  usage: '[flags]',
  help:
    'Writes all groups, entities, aliases and memberships as lines of JSON, to standard output or a file. ' +
    'There are no secrets in them; "signet import" takes them in again, here or elsewhere.',
  flags: [
    {
      name: 'output',
      kind: 'text',
      alias: 'o',
      help: 'The file; written under another name until it is whole.',
    },
  ],
  args: { min: 0, max: 0 },
  flagsAnywhere: true,
  run,
}
