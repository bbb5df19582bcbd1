import type { Call } from '../../engine/call.ts'
import type { Leaf } from '../../engine/name-tree.ts'
import type { Reader, Ref } from '../../engine/records.ts'
import type { KvConfig, Secret } from './records.ts'
import { configRef, placeOf, secretNames, secretRef } from './records.ts'
import { defaultConfig } from './versioned-secret.ts'

type PathCall = Pick<Call<{ readonly path: string }>, 'input' | 'namespace' | 'mount' | 'names'>

/** A secret's place in storage. */
export interface Place {
  readonly leaf: Leaf
  readonly ref: Ref<Secret>
}

/** The path without a slash at its end: metadata is found with or without it (recorded: http/path-spelling 2). */
const secretPath = ({ input }: PathCall): string => input.path.replace(/\/$/, '')

/** Where the secret of the call's path is; undefined when nothing can be there. */
export const findPlace = (call: PathCall): Place | undefined => {
  const leaf = secretNames.leaf(placeOf(call), secretPath(call))
  return leaf === undefined ? undefined : { leaf, ref: secretRef(call, leaf.id) }
}

/** As `findPlace`, for writes: throws 400 for a path beyond the bounds. */
export const placeToWrite = (call: PathCall): Place => {
  const leaf = secretNames.leafToWrite(placeOf(call), secretPath(call))
  return { leaf, ref: secretRef(call, leaf.id) }
}

/** What an existence check looks at. */
export const existing = (call: PathCall): Ref<Secret> | undefined => findPlace(call)?.ref

/** The mount's configuration. */
export const readConfig = async (
  reader: Reader,
  call: Pick<Call, 'namespace' | 'mount'>,
): Promise<KvConfig> => (await reader.get(configRef(call))) ?? defaultConfig
