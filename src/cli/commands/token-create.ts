import type { Command } from '../command.ts'
import { asking } from '../command.ts'
import { remoteFailure } from '../failure.ts'
import type { Flag } from '../flags.ts'
import { printSecret } from '../print-secret.ts'

const flags: readonly Flag[] = [
  { name: 'policy', kind: 'list', help: 'A policy of the token; repeatable.' },
  { name: 'ttl', kind: 'duration', help: 'How long it lives.' },
  {
    name: 'explicit-max-ttl',
    kind: 'duration',
    help: 'How long it lives at most, renewed or not.',
  },
  { name: 'period', kind: 'duration', help: 'It lives this long after each renewal, without end.' },
  { name: 'renewable', kind: 'boolean', help: 'Whether it can be renewed; true when not given.' },
  { name: 'orphan', kind: 'boolean', help: 'It does not end with the token that makes it.' },
  { name: 'no-default-policy', kind: 'boolean', help: 'Without the policy default.' },
  { name: 'use-limit', kind: 'integer', help: 'It ends after this many requests.' },
  { name: 'role', kind: 'text', help: 'Make it after this token role.' },
  { name: 'type', kind: 'text', help: 'service (the default) or batch.' },
  { name: 'metadata', kind: 'map', help: 'A remark in the audit log; repeatable.' },
  { name: 'display-name', kind: 'text', help: 'Name of the token in the audit log.' },
  { name: 'id', kind: 'text', help: 'The text of the token.' },
  { name: 'entity-alias', kind: 'text', help: 'Alias of the entity, with a role that allows it.' },
]

/** `signet token create`. */
export const tokenCreate: Command = {
  usage: '[flags]',
  help: 'Creates a token below the one in use, with its policies unless -policy says less.',
  flags,
  args: { min: 0, max: 0 },
  run: async (call) => {
    const given = call.flags
    const metadata = given.map('metadata')
    const optional = (name: string, field: string): Record<string, string> => {
      const value = given.text(name)
      return value === undefined ? {} : { [field]: value }
    }
    const uses = given.integer('use-limit')
    const renewable = given.optionalBoolean('renewable')
    const body = {
      policies: given.list('policy'),
      ...optional('ttl', 'ttl'),
      ...optional('explicit-max-ttl', 'explicit_max_ttl'),
      ...optional('period', 'period'),
      ...optional('type', 'type'),
      ...optional('display-name', 'display_name'),
      ...optional('id', 'id'),
      ...optional('entity-alias', 'entity_alias'),
      renewable: renewable ?? true,
      no_default_policy: given.boolean('no-default-policy'),
      ...(uses === undefined ? {} : { num_uses: uses }),
      ...(metadata === undefined ? {} : { meta: metadata }),
    }
    const role = given.text('role') ?? ''
    const path =
      role !== ''
        ? `auth/token/create/${role}`
        : given.boolean('orphan')
          ? 'auth/token/create-orphan'
          : 'auth/token/create'
    const orphan = role !== '' && given.boolean('orphan') ? { no_parent: true } : {}
    const client = await call.client()
    const secret = await asking('Error creating token', () =>
      client.post(path, { ...body, ...orphan }),
    )
    if (secret === undefined) throw remoteFailure('Error creating token: the answer was empty')
    return printSecret(call, secret)
  },
}
