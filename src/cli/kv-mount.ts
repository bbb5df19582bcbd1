import type { ApiClient } from '../client/api-client.ts'
import { text } from '../client/secret.ts'
import type { Call } from './command.ts'
import { asking, trimPath } from './command.ts'
import type { Flag } from './flags.ts'
import { objectOf } from './mount-options.ts'

/** Where a secret is: its mount, the version of it, and the path below. */
export type KvPlace = {
  readonly client: ApiClient
  /** Without a final slash. */
  readonly mount: string
  readonly version: 1 | 2
  readonly path: string
}

/** The flag that names the mount apart from the path. */
export const mountFlag: Flag = {
  name: 'mount',
  kind: 'text',
  help: 'Where the engine is mounted; PATH is below it then.',
}

/** Finds the kv mount of a path (`secret/foo`, or `foo` with `-mount=secret`). */
export const kvPlace = async (call: Call, written: string, failed: string): Promise<KvPlace> => {
  const client = await call.client()
  const flag = trimPath(call.flags.text('mount') ?? '')
  const path = trimPath(written)
  const asked = flag === '' ? path : flag
  const preflight = await asking(failed, () => client.read(`sys/internal/ui/mounts/${asked}`))
  const found = preflight?.data ?? {}
  const mount = trimPath(text(found['path'])) || (flag === '' ? (path.split('/')[0] ?? '') : flag)
  const version = objectOf(found['options'])['version'] === '2' ? 2 : 1
  const below =
    flag !== ''
      ? path
      : path === mount
        ? ''
        : path.startsWith(`${mount}/`)
          ? path.slice(mount.length + 1)
          : path
  return { client, mount, version, path: below }
}

/** A path of the API for a place; `part` (`data`, `metadata` …) stands in it for version 2 alone. */
export const kvPath = (place: KvPlace, part: string): string =>
  [place.mount, ...(place.version === 2 ? [part] : []), place.path]
    .filter((each) => each !== '')
    .join('/')
