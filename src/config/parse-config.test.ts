import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { ConfigError } from './config-error.ts'
import { devConfig } from './dev-config.ts'
import { loadConfig } from './load-config.ts'
import { mergeConfig, parseConfig, parseConfigPart } from './parse-config.ts'

const hcl = `
storage "lmdb" { path = "/var/lib/signet" }
listener "tcp" {
  address = "0.0.0.0:8200"
  tls_cert_file = "/c.pem"
  tls_key_file  = "/k.pem"
  tls_min_version = "tls13"
  max_request_size = 1024
  http_read_timeout = "5s"
  x_forwarded_for_authorized_addrs = "10.0.0.0/8, 127.0.0.1"
  custom_response_headers { "default" = { "X-Frame" = ["DENY"] } }
  telemetry { unauthenticated_metrics_access = true }
}
listener "unix" { address = "/run/s.sock" socket_mode = "0660" }
audit "file" "main" { description = "d" options { file_path = "/a.log" mode = "0640" } }
user_lockout "all" { lockout_threshold = "3" }
user_lockout "userpass" { disable_lockout = true }
api_addr = "https://s.example:8200/"
cluster_name = "c"
default_lease_ttl = "1h"
max_lease_ttl = "2d"
log_level = "WARN"
ui = true
disable_mlock = true
frobnicate = 1
`

const minimal = 'storage "inmem" {}\nlistener "tcp" { tls_disable = 1 }\n'

describe('a configuration file', () => {
  it('is read in HCL', () => {
    const config = parseConfig(hcl, 's.hcl')
    const [tcp, unix] = config.listeners
    assert.deepEqual(config.storage, { kind: 'lmdb', path: '/var/lib/signet' })
    assert.ok(tcp?.kind === 'tcp' && unix?.kind === 'unix')
    assert.deepEqual([tcp.host, tcp.port], ['0.0.0.0', 8200])
    assert.equal(tcp.tls?.minVersion, 'TLSv1.3')
    assert.deepEqual(tcp.limits, { readMs: 5000, requestBytes: 1024 })
    assert.deepEqual(tcp.forwardedFor.authorized, ['10.0.0.0/8', '127.0.0.1'])
    assert.deepEqual(tcp.responseHeaders.get('default')?.get('X-Frame'), ['DENY'])
    assert.equal(tcp.unauthenticatedMetrics, true)
    assert.deepEqual([unix.path, unix.mode], ['/run/s.sock', 0o660])
    assert.deepEqual(config.audit, [
      {
        type: 'file',
        path: 'main/',
        description: 'd',
        local: false,
        options: new Map([
          ['file_path', '/a.log'],
          ['mode', '0640'],
        ]),
      },
    ])
    assert.deepEqual(config.userLockout.get('approle'), {
      threshold: 3,
      durationSeconds: 900,
      counterResetSeconds: 900,
      disabled: false,
    })
    assert.equal(config.userLockout.get('userpass')?.disabled, true)
    assert.equal(config.apiAddress, 'https://s.example:8200')
    assert.deepEqual([config.defaultLeaseTtlSeconds, config.maxLeaseTtlSeconds], [3600, 172_800])
    assert.deepEqual([config.logLevel, config.ui, config.clusterName], ['warn', true, 'c'])
    assert.deepEqual(config.notes, [
      's.hcl: disable_mlock is ignored: memory is never locked: encrypt or disable swap',
      's.hcl: unknown or unsupported field frobnicate',
    ])
  })

  it('is read in JSON just the same', () => {
    const json = {
      storage: { lmdb: { path: '/var/lib/signet' } },
      listener: [
        {
          tcp: {
            address: '0.0.0.0:8200',
            tls_cert_file: '/c.pem',
            tls_key_file: '/k.pem',
            tls_min_version: 'tls13',
            max_request_size: 1024,
            http_read_timeout: 5,
            x_forwarded_for_authorized_addrs: ['10.0.0.0/8', '127.0.0.1'],
            custom_response_headers: { default: { 'X-Frame': ['DENY'] } },
            telemetry: { unauthenticated_metrics_access: 'true' },
          },
        },
        { unix: { address: '/run/s.sock', socket_mode: '0660' } },
      ],
      audit: {
        file: { main: { description: 'd', options: { file_path: '/a.log', mode: '0640' } } },
      },
      user_lockout: [{ all: { lockout_threshold: 3 } }, { userpass: { disable_lockout: true } }],
      api_addr: 'https://s.example:8200/',
      cluster_name: 'c',
      default_lease_ttl: '1h',
      max_lease_ttl: '2d',
      log_level: 'WARN',
      ui: true,
    }
    const { notes: _, ...wanted } = parseConfig(hcl, 's.hcl')
    const { notes, ...config } = parseConfig(JSON.stringify(json), 's.json')
    assert.deepEqual(config, wanted)
    assert.deepEqual(notes, [])
  })

  it('has defaults', () => {
    const config = parseConfig(minimal, 's.hcl')
    assert.deepEqual(config.storage, { kind: 'inmem' })
    assert.deepEqual(
      [config.defaultLeaseTtlSeconds, config.maxLeaseTtlSeconds],
      [2_764_800, 2_764_800],
    )
    assert.deepEqual([config.logLevel, config.logFormat, config.ui], ['info', 'standard', false])
    assert.equal(config.allowApiAuditCreation, true)
    assert.equal(config.dev, undefined)
  })

  it('is refused with the file and what is wrong there', () => {
    const cases: [string, RegExp][] = [
      ['listener "tcp" {', /^error loading configuration from s\.hcl: /],
      ['listener "tcp" { tls_disable = true }', /^A storage backend must be specified$/],
      ['storage "inmem" {}', /^A listener must be specified/],
      [
        'storage "inmem" {}\nlistener "tcp" {}',
        /listener "tcp": tls_cert_file and tls_key_file are missing/,
      ],
      [
        'storage "inmem" {}\nlistener "tcp" { address = "x" tls_disable = true }',
        /"x" is no address/,
      ],
      ['storage "inmem" {}\nlistener "udp" {}', /unknown listener type "udp"/],
      ['storage "inmem" {}\nstorage "inmem" {}', /only one 'storage' block is permitted/],
      ['storage "raft" { path = "/r" }', /storage "raft": unknown storage type raft/],
      ['storage "lmdb" {}', /storage "lmdb": path must be set/],
      [`${minimal}seal "awskms" {}`, /unknown seal type awskms/],
      [
        `${minimal}default_lease_ttl = "2h"\nmax_lease_ttl = "1h"`,
        /^cannot have DefaultLeaseTTL larger than MaxLeaseTTL$/,
      ],
      [`${minimal}default_lease_ttl = "soon"`, /default_lease_ttl must be a duration/],
      [`${minimal}log_level = "loud"`, /^unknown log level: loud$/],
      [`${minimal}ui = "maybe"`, /ui must be true or false, not "maybe"/],
      [`${minimal}api_addr = "here"`, /^api_addr must be a URL/],
      [`${minimal}user_lockout "jwt" {}`, /unknown auth method "jwt"/],
      [
        `${minimal}audit "file" "a" {}\naudit "file" "a/" {}`,
        /^two audit devices with same path \(a\/\) exist in config$/,
      ],
      [
        'storage "inmem" {}\nlistener "tcp" { tls_disable = true custom_response_headers { default = { X-Vault-Token = ["x"] } } }',
        /the header X-Vault-Token is for internal use/,
      ],
    ]
    for (const [text, message] of cases) {
      assert.throws(
        () => parseConfig(text, 's.hcl'),
        (error) => error instanceof ConfigError && message.test(error.message),
        text,
      )
    }
  })

  it('never fails otherwise, whatever it says', () => {
    const words = fc.constantFrom(
      'listener',
      '"tcp"',
      '{',
      '}',
      '=',
      '[',
      ']',
      'storage',
      '"inmem"',
      '1',
      'ui',
      ',',
      '\n',
      ' ',
    )
    fc.assert(
      fc.property(fc.array(words, { maxLength: 30 }), (parts) => {
        try {
          parseConfig(parts.join(' '), 's.hcl')
        } catch (error) {
          assert.ok(error instanceof ConfigError, String(error))
        }
      }),
      { numRuns: 1000 },
    )
  })
})

describe('several configuration files', () => {
  it('add up: the last text, the largest TTL, any true, every block', () => {
    const config = mergeConfig([
      parseConfigPart(`${minimal}cluster_name = "a"\ndefault_lease_ttl = "2h"\nui = true`, 'a.hcl'),
      parseConfigPart('listener "tcp" { address = ":1" tls_disable = true }\nui = false', 'b.hcl'),
      parseConfigPart(
        'cluster_name = "c"\ndefault_lease_ttl = "1h"\nstorage "file" { path = "/d" }',
        'c.hcl',
      ),
    ])
    assert.equal(config.clusterName, 'c')
    assert.equal(config.defaultLeaseTtlSeconds, 7200)
    assert.equal(config.ui, true)
    assert.equal(config.listeners.length, 2)
    assert.deepEqual(config.storage, { kind: 'lmdb', path: '/d' })
  })

  it('yield to flags and environment', () => {
    const config = mergeConfig(
      [parseConfigPart(`${minimal}log_level = "debug"\nui = true`, 'a.hcl')],
      {
        logLevel: 'error',
        ui: false,
        apiAddress: 'http://h:1',
        disableUserLockout: true,
      },
    )
    assert.deepEqual(
      [config.logLevel, config.ui, config.apiAddress],
      ['error', false, 'http://h:1'],
    )
    assert.ok([...config.userLockout.values()].every((each) => each.disabled))
  })

  it('are found in folders by their names, in order', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'signet-'))
    try {
      await mkdir(join(folder, 'conf'))
      await writeFile(join(folder, 'conf', 'b.json'), '{"cluster_name": "b"}')
      await writeFile(join(folder, 'conf', 'a.hcl'), `${minimal}cluster_name = "a"`)
      await writeFile(join(folder, 'conf', 'c.txt'), 'nonsense {')
      const config = await loadConfig([join(folder, 'conf')])
      assert.equal(config.clusterName, 'b')
      await mkdir(join(folder, 'empty'))
      await assert.rejects(
        loadConfig([join(folder, 'empty')]),
        /^ConfigError: No configuration files found\./,
      )
      await assert.rejects(
        loadConfig([join(folder, 'nope')]),
        /error loading configuration from .*nope/,
      )
      await assert.rejects(loadConfig([]), /Must specify at least one config path using -config/)
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})

describe('development mode', () => {
  it('is in memory without TLS, or in a folder with an audit log', () => {
    const memory = devConfig({
      listenAddress: '127.0.0.1:0',
      rootTokenId: 'root',
      dataFolder: undefined,
    })
    assert.deepEqual(memory.storage, { kind: 'inmem' })
    assert.deepEqual(memory.dev, { listenAddress: '127.0.0.1:0', rootTokenId: 'root' })
    assert.deepEqual(memory.audit, [])
    const kept = devConfig({
      listenAddress: '[::1]:8200',
      rootTokenId: undefined,
      dataFolder: '/d',
    })
    assert.deepEqual(kept.storage, { kind: 'lmdb', path: '/d/data' })
    assert.equal(kept.audit[0]?.options.get('file_path'), '/d/audit.log')
    assert.deepEqual(
      kept.listeners.map((each) => (each.kind === 'tcp' ? each.host : '')),
      ['::1'],
    )
    assert.throws(
      () => devConfig({ listenAddress: 'here', rootTokenId: undefined, dataFolder: undefined }),
      ConfigError,
    )
  })
})
