import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkNewDevice, devicePath } from './device-config.ts'
import { commonOptions } from './device-options.ts'
import { deviceType } from './devices/index.ts'

const refusal = (message: string) => ({ name: 'Refusal', kind: 'invalid', message })

test('a path is kept with one slash at its end', () => {
  assert.equal(devicePath('file'), 'file/')
  assert.equal(devicePath('/a/b//'), 'a/b/')
  assert.throws(() => devicePath('/'), refusal('backend path must be specified'))
})

test('a path in use, or before or behind one, is refused; so is a prefix that the server does not allow', () => {
  const gates = { prefixes: false }
  const there = [{ path: 'a/b/' }]
  for (const path of ['a/b/', 'a/', 'a/b/c/']) {
    assert.throws(
      () => checkNewDevice({ path, options: {} }, there, gates),
      refusal('path already in use'),
    )
  }
  checkNewDevice({ path: 'a/bc/', options: { prefix: '' } }, there, gates)
  const prefixed = { path: 'c/', options: { prefix: '@cee: ' } }
  assert.throws(
    () => checkNewDevice(prefixed, there, gates),
    refusal('audit log prefixing is not allowed'),
  )
  checkNewDevice(prefixed, there, { prefixes: true })
})

test('common options have their defaults, and refuse what they cannot be', () => {
  assert.deepEqual(commonOptions({}), {
    hmacAccessor: true,
    logRaw: false,
    elideListResponses: false,
    prefix: '',
    skipTest: false,
  })
  assert.deepEqual(
    commonOptions({
      format: 'json',
      hmac_accessor: 'F',
      log_raw: '1',
      elide_list_responses: 'true',
      prefix: '>',
      skip_test: 'true',
    }),
    { hmacAccessor: false, logRaw: true, elideListResponses: true, prefix: '>', skipTest: true },
  )
  assert.throws(
    () => commonOptions({ format: 'jsonx' }),
    refusal(
      'jsonx formatting has been removed, consider switching to json by omitting "format" or setting it to "json"',
    ),
  )
  assert.throws(() => commonOptions({ format: 'xml' }), refusal('unknown format type "xml"'))
  assert.throws(
    () => commonOptions({ log_raw: 'yes' }),
    refusal('strconv.ParseBool: parsing "yes": invalid syntax'),
  )
})

test('an unknown type is refused by name, also one that objects inherit', () => {
  assert.throws(() => deviceType('nope'), refusal('unknown backend type: "nope"'))
  assert.throws(() => deviceType('constructor'), refusal('unknown backend type: "constructor"'))
  assert.throws(() => deviceType('syslog'), /"syslog" are not supported/)
})
