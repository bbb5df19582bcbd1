import type { Ref, Tx } from '../../../engine/records.ts'
import { Refusal } from '../../../engine/refusal.ts'
import { aliasRef, entityNameRef, entityRef } from '../entity-record.ts'
import { groupNameRef, knownGroupRef, memberRef, membershipsRef } from '../group-record.ts'
import { importEntityAlias, importGroupAlias } from './import-alias.ts'
import { importEntity } from './import-entity.ts'
import { importGroup } from './import-group.ts'
import { importMembership } from './import-membership.ts'
import type { Line } from './line.ts'
import type { Outcome } from './outcome.ts'
import { refused } from './outcome.ts'
import type { LineScope } from './scope.ts'

/** Takes one line in, or says why not; then nothing of it is put. Only what is no fault of the line is thrown. */
export const takeIn = async (tx: Tx, scope: LineScope, line: Line): Promise<Outcome> => {
  try {
    switch (line.type) {
      case 'group':
        return await importGroup(tx, scope, line)
      case 'entity':
        return await importEntity(tx, scope, line)
      case 'entity-alias':
        return await importEntityAlias(tx, scope, line)
      case 'group-alias':
        return await importGroupAlias(tx, scope, line)
      case 'membership':
        return await importMembership(tx, scope, line)
    }
  } catch (error) {
    if (!(error instanceof Refusal) || error.kind === 'unavailable') throw error
    return refused(error.message)
  }
}

/** What a line will look at first, as far as it tells: read for many lines at once. */
export const firstReads = (
  { call: { names, namespace } }: LineScope,
  line: Line,
): Ref<unknown>[] => {
  const { number } = namespace
  switch (line.type) {
    case 'group':
      return [
        ...(line.id === undefined ? [] : [knownGroupRef(number, line.id)]),
        ...(line.name === undefined ? [] : [groupNameRef(names, number, line.name)]),
      ]
    case 'entity':
      return [
        ...(line.id === undefined ? [] : [entityRef(number, line.id)]),
        ...(line.name === undefined ? [] : [entityNameRef(names, number, line.name)]),
      ]
    case 'entity-alias':
      return [
        ...(line.id === undefined ? [] : [aliasRef(number, line.id)]),
        ...(line.canonical_id === undefined ? [] : [entityRef(number, line.canonical_id)]),
      ]
    case 'group-alias':
      return line.canonical_id === undefined ? [] : [knownGroupRef(number, line.canonical_id)]
    case 'membership': {
      const { group_id: group, entity_id: entity } = line
      return [
        ...(group === undefined ? [] : [knownGroupRef(number, group)]),
        ...(entity === undefined
          ? []
          : [entityRef(number, entity), membershipsRef(number, entity)]),
        ...(group === undefined || entity === undefined ? [] : [memberRef(number, group, entity)]),
      ]
    }
  }
}
