import type { Call } from '../../../engine/call.ts'
import type { Reader } from '../../../engine/records.ts'
import { linkOn } from '../alias-links.ts'
import { aliasRef } from '../entity-record.ts'
import { groupsOf } from '../memberships.ts'
import type { AliasLink, EntityRecord } from '../records.ts'
import type { TemplateAlias, TemplateEntity } from './template.ts'
import { templateNeeds } from './template.ts'

/** An entity as these templates need it; only what they name is read. */
export const templateEntity = async (
  reader: Reader,
  call: Pick<Call, 'names' | 'namespace' | 'now'>,
  entity: EntityRecord,
  templates: readonly string[],
): Promise<TemplateEntity> => {
  const { namespace, now } = call
  const needs = templateNeeds(templates)
  const links: AliasLink[] = []
  for (const accessor of needs.accessors) {
    const link = await linkOn(reader, call, entity, accessor)
    if (link !== undefined) links.push(link)
  }
  const records = await reader.getMany(links.map(({ id }) => aliasRef(namespace.number, id)))
  const aliases = new Map<string, TemplateAlias>()
  for (const alias of records) {
    if (alias === undefined) continue
    aliases.set(alias.mountAccessor, {
      id: alias.id,
      name: alias.name,
      metadata: alias.metadata ?? {},
      customMetadata: alias.customMetadata ?? {},
    })
  }
  return {
    id: entity.id,
    name: entity.name,
    metadata: entity.metadata ?? {},
    groups: needs.groups ? await groupsOf(reader, namespace.number, entity.id, now) : [],
    aliases,
  }
}
