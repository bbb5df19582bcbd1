import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ConfigError } from './config-error.ts'
import { parseConfig } from './parse-config.ts'

const parse = (storage: string) =>
  parseConfig(`${storage}\nlistener "tcp" { tls_disable = 1 }\n`, 's.hcl')

describe('storage "postgresql"', () => {
  it('needs a connection URL and has defaults for the rest', () => {
    const config = parse('storage "postgresql" { connection_url = "postgres://u:p@db/signet" }')
    assert.deepEqual(config.storage, {
      kind: 'postgresql',
      connectionUrl: 'postgres://u:p@db/signet',
    })
    assert.deepEqual(config.notes, [])
  })

  it('takes all of its settings', () => {
    const config = parse(`storage "postgresql" {
      connection_url = "postgresql://db/signet"
      schema = "identity"
      pool_size = 8
      processes = "6"
      wait_timeout = "3s"
      connect_timeout = 2
      statement_timeout = "1500ms"
    }`)
    assert.deepEqual(config.storage, {
      kind: 'postgresql',
      connectionUrl: 'postgresql://db/signet',
      schema: 'identity',
      poolSize: 8,
      processes: 6,
      waitMs: 3_000,
      connectMs: 2_000,
      statementMs: 1_500,
    })
  })

  it('notes what other servers know and this one does not', () => {
    const config = parse(
      'storage "postgresql" { connection_url = "postgres://db/x"\nha_enabled = true\ntable = "t" }',
    )
    assert.deepEqual(config.notes, [
      's.hcl: storage postgresql: unknown or unsupported field ha_enabled',
      's.hcl: storage postgresql: unknown or unsupported field table',
    ])
  })

  const wrong: readonly (readonly [string, RegExp])[] = [
    ['', /storage "postgresql": connection_url must be set/],
    ['connection_url = "host=db password=hunter2"', /must begin with postgres:/],
    ['connection_url = "postgres://db/x"\npool_size = 3', /pool_size must be 4 or more/],
    ['connection_url = "postgres://db/x"\nprocesses = 0', /processes must be 1 or more/],
    ['connection_url = "postgres://db/x"\nwait_timeout = 0', /wait_timeout must be longer/],
    ['connection_url = "postgres://db/x"\nstatement_timeout = "soon"', /must be a duration/],
  ]
  for (const [body, expected] of wrong) {
    it(`is refused: ${body}`, () => {
      assert.throws(
        () => parse(`storage "postgresql" {\n${body}\n}`),
        (error: Error) => {
          assert.ok(error instanceof ConfigError)
          assert.match(error.message, expected)
          assert.doesNotMatch(error.message, /hunter2/)
          return true
        },
      )
    })
  }
})
