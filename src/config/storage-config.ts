import type { ConfigBlock } from './config-block.ts'
import type { PostgresStorageConfig, StorageConfig } from './server-config.ts'

/** Two batches of commits, one commit that waits for a lock, and reads. */
const LEAST_POOL = 4

/** Reads a `storage "<type>" { … }` block. Throws a ConfigError. */
export const parseStorage = (type: string, block: ConfigBlock): StorageConfig => {
  switch (type) {
    case 'inmem':
      return { kind: 'inmem' }
    case 'file':
    case 'lmdb': {
      const path = block.text('path') ?? ''
      if (path === '') throw block.wrong('path must be set')
      return { kind: 'lmdb', path }
    }
    case 'postgresql':
      return parsePostgres(block)
    default:
      throw block.wrong(
        `unknown storage type ${type}: lmdb (a folder), postgresql and inmem are what there is`,
      )
  }
}

const parsePostgres = (block: ConfigBlock): PostgresStorageConfig => {
  const connectionUrl = block.text('connection_url') ?? ''
  if (connectionUrl === '') throw block.wrong('connection_url must be set')
  if (!/^postgres(?:ql)?:\/\//.test(connectionUrl)) {
    throw block.wrong('connection_url must begin with postgres://')
  }
  const schema = block.text('schema')
  const poolSize = atLeast(block, 'pool_size', LEAST_POOL)
  const processes = atLeast(block, 'processes', 1)
  const waitMs = duration(block, 'wait_timeout')
  const connectMs = duration(block, 'connect_timeout')
  const statementMs = duration(block, 'statement_timeout')
  return {
    kind: 'postgresql',
    connectionUrl,
    ...(schema !== undefined && { schema }),
    ...(poolSize !== undefined && { poolSize }),
    ...(processes !== undefined && { processes }),
    ...(waitMs !== undefined && { waitMs }),
    ...(connectMs !== undefined && { connectMs }),
    ...(statementMs !== undefined && { statementMs }),
  }
}

const atLeast = (block: ConfigBlock, name: string, least: number): number | undefined => {
  const value = block.integer(name)
  if (value !== undefined && value < least) throw block.wrong(`${name} must be ${least} or more`)
  return value
}

const duration = (block: ConfigBlock, name: string): number | undefined => {
  const value = block.milliseconds(name)
  if (value === 0) throw block.wrong(`${name} must be longer than nothing`)
  return value
}
