import { field } from '../../engine/field.ts'

/** Parameters of a token's creation (spec/auth.md 2.4). Durations arrive as texts: their errors are the handler's. */
export const createFields = {
  id: field.string({
    default: '',
    description: 'The token itself, chosen by the caller; needs sudo',
  }),
  policies: field.stringList({ description: "Policies of the token; the parent's when missing" }),
  meta: field.keyValues({ description: 'Metadata, shown by lookups' }),
  no_parent: field.bool({ default: false, description: 'Make an orphan; needs sudo' }),
  no_default_policy: field.bool({ default: false, description: 'Leave out the policy default' }),
  renewable: field.bool({ default: true, description: 'Whether the token can be renewed' }),
  ttl: field.string({ default: '', description: 'How long the token lives at first' }),
  lease: field.string({ default: '', description: 'Use ttl instead', deprecated: true }),
  type: field.string({ default: '', description: 'service (the default) or batch' }),
  explicit_max_ttl: field.string({
    default: '',
    description: 'The end that no renewal goes beyond',
  }),
  display_name: field.string({
    default: '',
    description: 'Shown after token- in logs and lookups',
  }),
  num_uses: field.int({
    default: 0,
    description: 'Requests the token is good for; 0 is unlimited',
  }),
  period: field.string({
    default: '',
    description: 'Makes a token that can be renewed for ever, each time for this long; needs sudo',
  }),
  entity_alias: field.string({
    default: '',
    description: 'Name of an entity alias for the token; only with a role',
  }),
}
