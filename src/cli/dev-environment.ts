import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** What `npm start` leaves for the commands run from its checkout: where the server is, and a token. */
export type DevEnvironment = {
  readonly address: string
  readonly token: string
  /** Where `signet login` keeps its token meanwhile: never over a person's own `~/.vault-token`. */
  readonly tokenFile: string
}

/** The folder of a checkout that `npm start` keeps its server in. */
export const devFolder = (checkout: string): string => join(checkout, '.signet', 'dev')

/** The lines of `.signet/dev/env`, for a shell to source and for `readDevEnvironment`. */
export const devEnvironmentText = (address: string, token: string): string =>
  `export VAULT_ADDR='${address}'\nexport VAULT_TOKEN='${token}'\n`

/** What a file of `devEnvironmentText` says; undefined when there is none. */
export const readEnvironmentFile = async (
  path: string,
): Promise<{ readonly address: string; readonly token: string } | undefined> => {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch {
    // Not there or not ours to read: the defaults hold.
    return undefined
  }
  const values = new Map<string, string>()
  for (const [, name = '', value = ''] of text.matchAll(/^export (\w+)='([^']*)'$/gm)) {
    values.set(name, value)
  }
  const address = values.get('VAULT_ADDR')
  return address === undefined ? undefined : { address, token: values.get('VAULT_TOKEN') ?? '' }
}

/** What `.signet/dev/env` of the checkout says; undefined when `npm start` has not run there. */
export const readDevEnvironment = async (checkout: string): Promise<DevEnvironment | undefined> => {
  const folder = devFolder(checkout)
  const found = await readEnvironmentFile(join(folder, 'env'))
  return found === undefined ? undefined : { ...found, tokenFile: join(folder, 'token') }
}
