import type { Command } from './command.ts'

/** A line of the table: what a command is called, what it does in a few words, and where it is. */
export type CommandEntry = {
  readonly name: string
  readonly synopsis: string
  /** Loads nothing but this command: a start costs what it needs. */
  readonly load: () => Promise<Command>
}

/** Every command, in the order of its name. */
export const commandTable: readonly CommandEntry[] = [
  {
    name: 'alias link',
    synopsis: 'Link an account to an entity, merging what a login made before',
    load: async () => (await import('./commands/alias-link.ts')).aliasLink,
  },
  {
    name: 'audit disable',
    synopsis: 'Disable an audit device',
    load: async () => (await import('./commands/audit.ts')).auditDisable,
  },
  {
    name: 'audit enable',
    synopsis: 'Enable an audit device',
    load: async () => (await import('./commands/audit.ts')).auditEnable,
  },
  {
    name: 'audit list',
    synopsis: 'List audit devices',
    load: async () => (await import('./commands/audit.ts')).auditList,
  },
  {
    name: 'auth disable',
    synopsis: 'Disable an auth method; its tokens end',
    load: async () => (await import('./commands/auth.ts')).authDisable,
  },
  {
    name: 'auth enable',
    synopsis: 'Enable an auth method',
    load: async () => (await import('./commands/auth.ts')).authEnable,
  },
  {
    name: 'auth help',
    synopsis: 'How to log in through an auth method',
    load: async () => (await import('./commands/auth.ts')).authHelp,
  },
  {
    name: 'auth list',
    synopsis: 'List auth methods',
    load: async () => (await import('./commands/auth.ts')).authList,
  },
  {
    name: 'auth move',
    synopsis: 'Move an auth method to another path',
    load: async () => (await import('./commands/auth.ts')).authMove,
  },
  {
    name: 'auth tune',
    synopsis: 'Change the options of an auth method',
    load: async () => (await import('./commands/auth.ts')).authTune,
  },
  {
    name: 'delete',
    synopsis: 'Delete what is at a path',
    load: async () => (await import('./commands/delete.ts')).deletePath,
  },
  {
    name: 'demo',
    synopsis: 'One person, two logins, one identity: every step checked',
    load: async () => (await import('./commands/demo.ts')).demo,
  },
  {
    name: 'entity create',
    synopsis: 'Create an entity',
    load: async () => (await import('./commands/entity.ts')).entityCreate,
  },
  {
    name: 'entity delete',
    synopsis: 'Delete an entity with its aliases',
    load: async () => (await import('./commands/entity.ts')).entityDelete,
  },
  {
    name: 'entity disable',
    synopsis: 'Disable an entity: its tokens stop working, its logins are refused',
    load: async () => (await import('./commands/entity.ts')).entityDisable,
  },
  {
    name: 'entity enable',
    synopsis: 'Enable a disabled entity',
    load: async () => (await import('./commands/entity.ts')).entityEnable,
  },
  {
    name: 'entity list',
    synopsis: 'List entities',
    load: async () => (await import('./commands/entity.ts')).entityList,
  },
  {
    name: 'entity read',
    synopsis: 'Show an entity, its accounts and groups',
    load: async () => (await import('./commands/entity.ts')).entityRead,
  },
  {
    name: 'entity update',
    synopsis: 'Change an entity that exists',
    load: async () => (await import('./commands/entity.ts')).entityUpdate,
  },
  {
    name: 'export',
    synopsis: 'Write groups, entities, aliases and memberships as lines of JSON',
    load: async () => (await import('./commands/export.ts')).exportIdentity,
  },
  {
    name: 'group add',
    synopsis: 'Add members to a group',
    load: async () => (await import('./commands/group.ts')).groupAdd,
  },
  {
    name: 'group create',
    synopsis: 'Create a group',
    load: async () => (await import('./commands/group.ts')).groupCreate,
  },
  {
    name: 'group members',
    synopsis: 'List the members of a group',
    load: async () => (await import('./commands/group.ts')).groupMembers,
  },
  {
    name: 'group remove',
    synopsis: 'Remove members from a group',
    load: async () => (await import('./commands/group.ts')).groupRemove,
  },
  {
    name: 'import',
    synopsis: 'Take in identity from lines of JSON, or from a running Vault or OpenBao',
    load: async () => (await import('./commands/import.ts')).importIdentity,
  },
  {
    name: 'kv delete',
    synopsis: 'Delete the newest version of a secret, or given ones',
    load: async () => (await import('./commands/kv-delete.ts')).kvDelete,
  },
  {
    name: 'kv destroy',
    synopsis: 'Remove versions of a secret for good',
    load: async () => (await import('./commands/kv-delete.ts')).kvDestroy,
  },
  {
    name: 'kv enable-versioning',
    synopsis: 'Turn a version 1 mount into version 2',
    load: async () => (await import('./commands/kv-versioning.ts')).kvEnableVersioning,
  },
  {
    name: 'kv get',
    synopsis: 'Read a secret',
    load: async () => (await import('./commands/kv-get.ts')).kvGet,
  },
  {
    name: 'kv list',
    synopsis: 'List secrets below a path',
    load: async () => (await import('./commands/kv-list.ts')).kvList,
  },
  {
    name: 'kv metadata delete',
    synopsis: 'Delete a secret with all its versions',
    load: async () => (await import('./commands/kv-metadata.ts')).kvMetadataDelete,
  },
  {
    name: 'kv metadata get',
    synopsis: 'Show the versions and settings of a secret',
    load: async () => (await import('./commands/kv-metadata.ts')).kvMetadataGet,
  },
  {
    name: 'kv metadata patch',
    synopsis: 'Change some settings of a secret',
    load: async () => (await import('./commands/kv-metadata.ts')).kvMetadataPatch,
  },
  {
    name: 'kv metadata put',
    synopsis: 'Set the settings of a secret',
    load: async () => (await import('./commands/kv-metadata.ts')).kvMetadataPut,
  },
  {
    name: 'kv patch',
    synopsis: 'Change some keys of a secret',
    load: async () => (await import('./commands/kv-patch.ts')).kvPatch,
  },
  {
    name: 'kv put',
    synopsis: 'Write a secret',
    load: async () => (await import('./commands/kv-put.ts')).kvPut,
  },
  {
    name: 'kv rollback',
    synopsis: 'Write an earlier version of a secret again',
    load: async () => (await import('./commands/kv-patch.ts')).kvRollback,
  },
  {
    name: 'kv undelete',
    synopsis: 'Bring deleted versions of a secret back',
    load: async () => (await import('./commands/kv-delete.ts')).kvUndelete,
  },
  {
    name: 'lease lookup',
    synopsis: 'Show a lease',
    load: async () => (await import('./commands/lease.ts')).leaseLookup,
  },
  {
    name: 'lease renew',
    synopsis: 'Renew a lease',
    load: async () => (await import('./commands/lease.ts')).leaseRenew,
  },
  {
    name: 'lease revoke',
    synopsis: 'Revoke leases',
    load: async () => (await import('./commands/lease.ts')).leaseRevoke,
  },
  {
    name: 'list',
    synopsis: 'List what is below a path',
    load: async () => (await import('./commands/list.ts')).list,
  },
  {
    name: 'login',
    synopsis: 'Log in and keep the token',
    load: async () => (await import('./commands/login.ts')).login,
  },
  {
    name: 'operator init',
    synopsis: 'Initialise a server',
    load: async () => (await import('./commands/operator-init.ts')).operatorInit,
  },
  {
    name: 'operator seal',
    synopsis: 'Seal a server',
    load: async () => (await import('./commands/operator-seal.ts')).operatorSeal,
  },
  {
    name: 'operator snapshot inspect',
    synopsis: 'Verify a snapshot file and show what it holds',
    load: async () => (await import('./commands/operator-snapshot.ts')).snapshotInspect,
  },
  {
    name: 'operator snapshot restore',
    synopsis: 'Restore a snapshot into a running server, or into the storage of a stopped one',
    load: async () => (await import('./commands/operator-snapshot.ts')).snapshotRestore,
  },
  {
    name: 'operator snapshot save',
    synopsis: 'Save everything a server stores, while it serves',
    load: async () => (await import('./commands/operator-snapshot.ts')).snapshotSave,
  },
  {
    name: 'operator unseal',
    synopsis: 'Give a server one of its unseal keys',
    load: async () => (await import('./commands/operator-unseal.ts')).operatorUnseal,
  },
  {
    name: 'patch',
    synopsis: 'Change some fields of what is at a path',
    load: async () => (await import('./commands/write.ts')).patchPath,
  },
  {
    name: 'path-help',
    synopsis: 'Show the help of a path of the API',
    load: async () => (await import('./commands/path-help.ts')).pathHelp,
  },
  {
    name: 'policy delete',
    synopsis: 'Delete a policy',
    load: async () => (await import('./commands/policy.ts')).policyDelete,
  },
  {
    name: 'policy list',
    synopsis: 'List policies',
    load: async () => (await import('./commands/policy.ts')).policyList,
  },
  {
    name: 'policy read',
    synopsis: 'Show the text of a policy',
    load: async () => (await import('./commands/policy.ts')).policyRead,
  },
  {
    name: 'policy write',
    synopsis: 'Write a policy from a file',
    load: async () => (await import('./commands/policy.ts')).policyWrite,
  },
  {
    name: 'print token',
    synopsis: 'Print the token that commands would use',
    load: async () => (await import('./commands/print-token.ts')).printToken,
  },
  {
    name: 'read',
    synopsis: 'Read what is at a path',
    load: async () => (await import('./commands/read.ts')).read,
  },
  {
    name: 'scan',
    synopsis: 'List everything below a path',
    load: async () => (await import('./commands/list.ts')).scan,
  },
  {
    name: 'secrets disable',
    synopsis: 'Disable a secrets engine and delete its data',
    load: async () => (await import('./commands/secrets.ts')).secretsDisable,
  },
  {
    name: 'secrets enable',
    synopsis: 'Enable a secrets engine',
    load: async () => (await import('./commands/secrets.ts')).secretsEnable,
  },
  {
    name: 'secrets list',
    synopsis: 'List secrets engines',
    load: async () => (await import('./commands/secrets.ts')).secretsList,
  },
  {
    name: 'secrets move',
    synopsis: 'Move a secrets engine to another path',
    load: async () => (await import('./commands/secrets.ts')).secretsMove,
  },
  {
    name: 'secrets tune',
    synopsis: 'Change the options of a secrets engine',
    load: async () => (await import('./commands/secrets.ts')).secretsTune,
  },
  {
    name: 'server',
    synopsis: 'Run a server',
    load: async () => (await import('./commands/server.ts')).server,
  },
  {
    name: 'status',
    synopsis: 'Show whether a server is initialised and unsealed',
    load: async () => (await import('./commands/status.ts')).status,
  },
  {
    name: 'token capabilities',
    synopsis: 'Show what a token may do at a path',
    load: async () => (await import('./commands/token-capabilities.ts')).tokenCapabilities,
  },
  {
    name: 'token create',
    synopsis: 'Create a token',
    load: async () => (await import('./commands/token-create.ts')).tokenCreate,
  },
  {
    name: 'token lookup',
    synopsis: 'Show a token',
    load: async () => (await import('./commands/token.ts')).tokenLookup,
  },
  {
    name: 'token renew',
    synopsis: 'Renew a token',
    load: async () => (await import('./commands/token.ts')).tokenRenew,
  },
  {
    name: 'token revoke',
    synopsis: 'Revoke a token',
    load: async () => (await import('./commands/token.ts')).tokenRevoke,
  },
  {
    name: 'unwrap',
    synopsis: 'Unwrap a wrapped answer',
    load: async () => (await import('./commands/unwrap.ts')).unwrap,
  },
  {
    name: 'version',
    synopsis: 'Print the version',
    load: async () => (await import('./commands/version.ts')).version,
  },
  {
    name: 'whoami',
    synopsis: 'Who the token belongs to: entity, accounts, groups, policies',
    load: async () => (await import('./commands/whoami.ts')).whoami,
  },
  {
    name: 'write',
    synopsis: 'Write data to a path',
    load: async () => (await import('./commands/write.ts')).write,
  },
]
