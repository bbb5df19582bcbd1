import type { Call } from '../../engine/call.ts'
import { field } from '../../engine/field.ts'
import { invalid } from '../../engine/refusal.ts'
import type { ListPage, Result } from '../../engine/result.ts'
import { data, listPages } from '../../engine/result.ts'
import type { Route } from '../../engine/route.ts'
import { route } from '../../engine/route.ts'
import { folderPath } from './folder-path.ts'
import { leaseDuration } from './lease-duration.ts'
import { placeOf, secretNames, secretRef } from './records.ts'
import { checkSecretSize } from './secret-size.ts'

type V1Call = Call<{ readonly path: string }>

const existing = (call: V1Call) => {
  const leaf = secretNames.leaf(placeOf(call), call.input.path)
  return leaf === undefined ? undefined : secretRef(call, leaf.id)
}

const read = async (call: V1Call): Promise<Result> => {
  const ref = existing(call)
  const secret = ref === undefined ? undefined : await call.records.get(ref)
  if (secret?.kind !== 'plain') return undefined
  return data(secret.data, {
    leaseDurationSeconds: leaseDuration(secret.data, call.mount.defaultLeaseTtlSeconds),
  })
}

const write = async (call: V1Call): Promise<Result> => {
  if (call.input.path === '') throw invalid('missing path')
  if (Object.keys(call.free).length === 0) throw invalid('missing data fields')
  checkSecretSize(call.free)
  const leaf = secretNames.leafToWrite(placeOf(call), call.input.path)
  const ref = secretRef(call, leaf.id)
  await call.records.transact(async (tx) => {
    const before = await tx.get(ref)
    tx.put(ref, { kind: 'plain', written: call.now, data: call.free })
    if (before === undefined) secretNames.plant(tx, leaf)
  })
  return undefined
}

const remove = async (call: V1Call): Promise<Result> => {
  const leaf = secretNames.leaf(placeOf(call), call.input.path)
  if (leaf === undefined) return undefined
  const ref = secretRef(call, leaf.id)
  await call.records.transact(async (tx) => {
    if ((await tx.get(ref)) === undefined) return
    tx.delete(ref)
    await secretNames.uproot(tx, call.records, leaf)
  })
  return undefined
}

const asPages = async function* (pages: AsyncIterable<readonly string[]>): AsyncIterable<ListPage> {
  for await (const keys of pages) yield { keys }
}

/** The routes of a version 1 mount: any path is a secret, its body the data (spec/secrets.md 2). */
export const v1Routes: readonly Route[] = [
  route({
    path: '*path?',
    summary: 'Read, write, delete and list secrets',
    description:
      'The members of the body are the secret; `ttl` in it advises when to read it again.',
    fields: { path: field.string({ default: '', description: 'Path of the secret' }) },
    free: true,
    exists: existing,
    verbs: {
      read,
      update: write,
      delete: remove,
      list: (call) =>
        listPages(
          asPages(secretNames.list(call.records, placeOf(call), folderPath(call.input.path))),
        ),
      scan: (call) =>
        listPages(
          asPages(secretNames.scan(call.records, placeOf(call), folderPath(call.input.path))),
        ),
    },
  }),
]
