import type { BackgroundScope } from '../../../engine/engine.ts'
import type { Ref } from '../../../engine/records.ts'
import { keyId } from '../../../engine/records.ts'
import { DUE_CODE, DUE_KEY, dueTarget, timePart } from './due.ts'
import { storeDefaults } from './defaults.ts'
import { rotateKey } from './keys.ts'
import { oidcCodes, oidcDue, oidcKeys } from './records.ts'

/**
 * One round of what OIDC does by itself: stores the objects that always exist, rotates keys whose time has come, drops codes
 * that nobody used. Its cost is that of what is due. May run at once in any number of processes: each step is one commit that
 * looks again. `stored` remembers, per process, which namespaces have their objects.
 */
export const runBackground = async (scope: BackgroundScope, stored: Set<number>): Promise<void> => {
  const { namespace, now, records } = scope
  if (!stored.has(namespace.number)) {
    await storeDefaults(scope)
    stored.add(namespace.number)
  }
  const all = oidcDue.under(namespace.number)
  const due = { ...all, to: oidcDue.under(namespace.number, timePart(now + 1)).from }
  for await (const page of records.scan(due)) {
    for (const { tail, key } of page) {
      const entry: Ref<unknown> = { kind: oidcDue, key, id: keyId(key) }
      const { kind, hash } = dueTarget(tail)
      if (kind === DUE_KEY) await rotateDue(scope, hash, entry)
      else if (kind === DUE_CODE) await dropCode(scope, hash, entry)
    }
  }
}

const rotateDue = async (
  scope: BackgroundScope,
  hash: Uint8Array,
  entry: Ref<unknown>,
): Promise<void> => {
  const key = await scope.records.get(oidcKeys.at(scope.namespace.number, hash))
  if (key !== undefined) await rotateKey(scope, key.name, { onlyDue: true })
  // The rotation took the entry with it, unless it pointed at nothing.
  await scope.records.transact(async (tx) => {
    const present = await tx.get(oidcKeys.at(scope.namespace.number, hash))
    if (present?.nextRotationAt === undefined || present.nextRotationAt > scope.now) {
      tx.delete(entry)
    }
  })
}

const dropCode = async (
  { namespace, now, records }: BackgroundScope,
  hash: Uint8Array,
  entry: Ref<unknown>,
): Promise<void> => {
  const ref = oidcCodes.at(namespace.number, hash)
  await records.transact(async (tx) => {
    const code = await tx.get(ref)
    tx.delete(entry)
    if (code !== undefined && code.expiresAt <= now) tx.delete(ref)
  })
}
