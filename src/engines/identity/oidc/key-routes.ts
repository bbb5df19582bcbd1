import { field } from '../../../engine/field.ts'
import { data, listOf } from '../../../engine/result.ts'
import type { Route } from '../../../engine/route.ts'
import { route } from '../../../engine/route.ts'
import { deleteKey, writeKey } from './key-write.ts'
import { DEFAULT_KEY } from './key-ring.ts'
import { findKey, noKey, rotateKey } from './keys.ts'
import { oidcKeys } from './records.ts'
import { allByName, keyRef } from './refs.ts'
import { withDefault } from './defaults.ts'

const name = field.string({ default: '', description: 'Name of the key' })

const fields = {
  name,
  rotation_period: field.duration({
    description: 'How often a new key pair signs; 24h if not given',
  }),
  verification_ttl: field.duration({
    description: 'How long a public key stays published after its last use; 24h if not given',
  }),
  allowed_client_ids: field.commaList({
    description: 'Client ids of the roles and clients that may use the key; * for all',
  }),
  algorithm: field.string({
    description: 'RS256 (default), RS384, RS512, ES256, ES384, ES512 or EdDSA',
  }),
}

const rotateFields = {
  name,
  verification_ttl: field.duration({
    description: 'How long the present public key stays published; the key’s own if not given',
  }),
}

/** The routes of named signing keys. */
export const keyRoutes: readonly Route[] = [
  route({
    path: 'oidc/key',
    summary: 'List the named signing keys',
    fields: {},
    verbs: {
      list: async ({ records, namespace }) => {
        const keys = await allByName(records, oidcKeys.under(namespace.number))
        return listOf(withDefault(keys, DEFAULT_KEY).map((key) => key.name))
      },
    },
  }),
  route({
    path: 'oidc/key/:name',
    summary: 'Create, read, update or delete a named signing key',
    fields,
    exists: (call) => keyRef(call, call.input.name),
    verbs: {
      read: async (call) => {
        const key = await findKey(call.records, call, call.input.name)
        if (key === undefined) return undefined
        return data({
          rotation_period: key.rotationPeriod,
          verification_ttl: key.verificationTtl,
          algorithm: key.algorithm,
          allowed_client_ids: key.allowedClientIds,
        })
      },
      update: async (call) => {
        const { input } = call
        await writeKey(call, {
          name: input.name,
          rotationPeriod: input.rotation_period,
          verificationTtl: input.verification_ttl,
          allowedClientIds: input.allowed_client_ids,
          algorithm: input.algorithm,
        })
        return undefined
      },
      delete: async (call) => {
        await deleteKey(call, call.input.name)
        return undefined
      },
    },
  }),
  route({
    path: 'oidc/key/:name/rotate',
    summary: 'Rotate a named signing key now',
    fields: rotateFields,
    slashOrNot: true,
    verbs: {
      update: async (call) => {
        const { name: asked, verification_ttl: verificationTtl } = call.input
        const key = await rotateKey(call, asked, { onlyDue: false, verificationTtl })
        if (key === undefined) throw noKey(asked)
        return undefined
      },
    },
  }),
]
