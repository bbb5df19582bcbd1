import { randomBytes } from 'node:crypto'
import type { Namespace } from '../engine/call.ts'
import type { Records } from '../engine/records.ts'
import { recordKind } from '../engine/records.ts'

/** What `sys/health` calls the cluster: all nodes that share one store. */
export interface Cluster {
  readonly name: string
  readonly id: string
}

/** `cluster/<ns>` */
export const clusters = recordKind<Cluster>('cluster')

/** The cluster of this store; made by whoever comes first. */
export const ensureCluster = (
  records: Records,
  namespace: Namespace,
  name: string | undefined,
): Promise<Cluster> => {
  const made: Cluster = {
    name: name ?? `vault-cluster-${randomBytes(4).toString('hex')}`,
    id: crypto.randomUUID(),
  }
  return records.transact(async (tx) => {
    const ref = clusters.at(namespace.number)
    const present = await tx.get(ref)
    if (present !== undefined) return present
    tx.put(ref, made)
    return made
  })
}
