import type { Call } from '../../../engine/call.ts'
import { idBytes } from '../../../engine/records.ts'
import { Refusal, failed, invalid } from '../../../engine/refusal.ts'
import type { ListResult, Result } from '../../../engine/result.ts'
import { data, listOf } from '../../../engine/result.ts'
import { limits } from '../../../limits.ts'
import { shownMethod } from './method-fields.ts'
import type { MethodRecord, MethodType } from './records.ts'
import { mfaMethods } from './records.ts'
import { enforcementsRef, findMethod, methodNameRef, methodRef, putBounded } from './refs.ts'

type MethodCall = Pick<Call, 'names' | 'namespace' | 'records' | 'newId'>

const wrongType = (type: MethodType): Refusal =>
  invalid(`failed to find the method ID under MFA type ${type}.`)

/** Only ids stand at these places of a path. Throws the recorded 404 for anything else. */
export const requireId = (id: string): void => {
  if (idBytes(id) === undefined) throw new Refusal('missing', 'unsupported path', { wrap: true })
}

/**
 * Makes a method, or writes one anew: that of `id`, else that of the name (identity.md 6.1). Gives the id where none was sent;
 * an unknown id changes nothing. `parse` is pure. Throws the recorded Refusals.
 */
export const writeMethod = async (
  call: MethodCall,
  sent: { readonly type: MethodType; readonly id: string; readonly name: string },
  parse: (head: Pick<MethodRecord, 'id' | 'name'>) => MethodRecord,
): Promise<Result> => {
  const { type, id, name } = sent
  const newId = call.newId()
  const written = await call.records.transact(async (tx) => {
    const owner = name === '' ? undefined : await tx.get(methodNameRef(call, name))
    const present = await findMethod(tx, call, id === '' ? (owner?.id ?? '') : id)
    if (present === undefined && id !== '') return undefined
    if (present !== undefined && present.type !== type) throw wrongType(type)
    if (owner !== undefined && owner.id !== present?.id) {
      throw failed(`a login MFA method configuration with the method name ${name} already exists`)
    }
    const method = parse({ id: present?.id ?? newId, name })
    putBounded(tx, methodRef(call, method.id), method)
    if (present !== undefined && present.name !== '' && present.name !== name) {
      tx.delete(methodNameRef(call, present.name))
    }
    if (name !== '' && owner === undefined) tx.put(methodNameRef(call, name), { id: method.id })
    return method
  })
  return written === undefined || id !== '' ? undefined : data({ method_id: written.id })
}

/** A method as the API shows it; undefined when there is none. `type`: refuses methods of other types. */
export const readMethod = async (
  call: MethodCall,
  id: string,
  type?: MethodType,
): Promise<Result> => {
  const method = await findMethod(call.records, call, id)
  if (method === undefined) return undefined
  if (type !== undefined && method.type !== type) throw wrongType(type)
  return data(shownMethod(call, method))
}

/** Deletes a method; nothing happens when there is none. Throws the recorded 500s for another type or one that is in use. */
export const deleteMethod = async (
  call: MethodCall,
  id: string,
  type: MethodType,
): Promise<undefined> => {
  await call.records.transact(async (tx) => {
    const method = await findMethod(tx, call, id)
    if (method === undefined) return
    if (method.type !== type) throw failed('method type does not match the MFA config type')
    const enforcements = (await tx.get(enforcementsRef(call)))?.list ?? []
    const user = enforcements.find(({ methodIds }) => methodIds.includes(id))
    if (user !== undefined) {
      throw failed(`methodID is still used by an enforcement configuration with ID: ${user.id}`)
    }
    tx.delete(methodRef(call, id))
    if (method.name !== '') tx.delete(methodNameRef(call, method.name))
  })
  return undefined
}

/** All methods, or those of a type, by id. */
export const listMethods = async (call: MethodCall, type?: MethodType): Promise<ListResult> => {
  const found: MethodRecord[] = []
  for await (const page of call.records.scan(mfaMethods.under(call.namespace.number))) {
    for (const { value } of page) if (type === undefined || value.type === type) found.push(value)
    if (found.length > limits.sortedNames) {
      throw invalid(`there are more than ${limits.sortedNames} methods`)
    }
  }
  return listOf(
    found.map(({ id }) => id),
    Object.fromEntries(found.map((method) => [method.id, shownMethod(call, method)])),
  )
}
