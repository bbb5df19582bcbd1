import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { parseConnectionUrl } from './connection-url.ts'

describe('a connection URL', () => {
  it('names user, password, hosts, database and TLS', () => {
    assert.deepEqual(
      parseConnectionUrl(
        'postgresql://sig%40net:p%2Fw:1@db.example.com:6432/identity?sslmode=verify-full&sslrootcert=/ca.pem&sslcert=/c.pem&sslkey=/k.pem&application_name=node%201',
      ),
      {
        hosts: [{ host: 'db.example.com', port: 6432 }],
        user: 'sig@net',
        password: 'p/w:1',
        database: 'identity',
        applicationName: 'node 1',
        tls: { mode: 'verify-full', caFile: '/ca.pem', certFile: '/c.pem', keyFile: '/k.pem' },
      },
    )
  })

  it('may leave everything out', () => {
    assert.deepEqual(parseConnectionUrl('postgres://'), {
      hosts: [{ host: 'localhost', port: 5432 }],
      user: undefined,
      password: undefined,
      database: undefined,
      applicationName: 'signet',
      tls: {},
    })
  })

  it('names several hosts, IPv6 addresses and folders of sockets', () => {
    const hosts = (url: string) =>
      parseConnectionUrl(url).hosts.map(({ host, port }) => [host, port])
    assert.deepEqual(hosts('postgres://u@a:1,b,[::1]:3/d?target_session_attrs=primary'), [
      ['a', 1],
      ['b', 5432],
      ['::1', 3],
    ])
    assert.deepEqual(hosts('postgres:///d?host=/run/postgresql&port=5433'), [
      ['/run/postgresql', 5433],
    ])
    assert.deepEqual(hosts('postgres://%2Frun%2Fpostgresql/d'), [['/run/postgresql', 5432]])
  })

  it('takes any user, password and database, encoded', () => {
    const text = fc.string({ minLength: 1, unit: 'grapheme' })
    fc.assert(
      fc.property(text, text, text, (user, password, database) => {
        const parts = [user, password, database].map(encodeURIComponent)
        const target = parseConnectionUrl(`postgres://${parts[0]}:${parts[1]}@h/${parts[2]}`)
        assert.deepEqual(
          [target.user, target.password, target.database],
          [user, password, database],
        )
      }),
    )
  })

  const wrong: readonly (readonly [string, RegExp])[] = [
    ['', /must begin with postgres:\/\//],
    ['host=localhost user=x', /must begin with postgres:\/\//],
    ['http://u:hunter2@h/d', /must begin with postgres:\/\//],
    ['postgres://u:hunter2@h:0/d', /a port is a number/],
    ['postgres://u:hunter2@h:x/d', /a port is a number/],
    ['postgres://u:hunter2@h:70000/d', /a port is a number/],
    ['postgres://u:hunter2/x@h/d', /%2F/],
    ['postgres://u:hunter2%zz@h/d', /two hex digits/],
    ['postgres://u:hunter2@:5432/d', /is no host/],
    ['postgres://u:hunter2@h/d?sslmode=sometimes', /unknown sslmode "sometimes"/],
    ['postgres://u:hunter2@h/d?sslmod=require', /unknown parameter "sslmod"/],
    ['postgres://u:hunter2@h/d?target_session_attrs=standby', /nobody can write to/],
  ]
  for (const [url, expected] of wrong) {
    it(`is refused without its password: ${url}`, () => {
      assert.throws(
        () => parseConnectionUrl(url),
        (error: Error) => {
          assert.match(error.message, expected)
          assert.doesNotMatch(error.message, /hunter2/)
          return true
        },
      )
    })
  }
})
