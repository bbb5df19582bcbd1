import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { describe, it } from 'node:test'
import { startFakeProvider } from './fake-provider.ts'
import { readPingIdSettings } from './pingid-settings.ts'
import { askPingId } from './pingid.ts'
import type { PingIdMethod } from './records.ts'

const KEY = Buffer.from('a key of thirty-two bytes length')

const settings = (text: string) => Buffer.from(text).toString('base64')

const FILE = `#Auto-Generated from PingOne
use_base64_key=${KEY.toString('base64')}
use_signature=true
token=tok
idp_url=https://idpxnyl3m.pingidentity.com/pingid
org_alias=org
admin_url=https://idpxnyl3m.pingidentity.com/pingid
authenticator_url=https://authenticator.pingone.com/pingid/ppm
`

const method: PingIdMethod = {
  type: 'pingid',
  id: '00000000-0000-4000-8000-000000000001',
  name: '',
  usernameFormat: '',
  ...readPingIdSettings(settings(FILE)),
}

const user = { name: 'bob', address: '192.0.2.7' }

const sign = (claims: unknown, key = KEY, alg = 'HS256'): string => {
  const signed = [{ alg }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`
}

const start = async (t: { after(end: () => Promise<void>): void }, body: string, status = 200) => {
  const provider = await startFakeProvider(() => ({ status, body }))
  t.after(() => provider.close())
  return provider
}

const says = (errorId: number, errorMsg: string) => ({ responseBody: { errorId, errorMsg } })

describe('PingID', () => {
  it('is asked with a signed request and says yes', async (t) => {
    const { outside, seen } = await start(t, sign(says(200, 'ok')))
    await askPingId(outside, method, user)
    const [{ body, host, path, verb }] = seen as readonly [(typeof seen)[0]]
    assert.deepEqual(
      [verb, host, path],
      ['POST', 'idpxnyl3m.pingidentity.com', '/pingid/rest/4/authonline/do'],
    )
    const [head = '', claims = '', signature] = body.split('.')
    assert.equal(
      signature,
      createHmac('sha256', KEY).update(`${head}.${claims}`).digest('base64url'),
    )
    const parsed = [head, claims].map((part) =>
      JSON.parse(Buffer.from(part, 'base64url').toString()),
    )
    assert.deepEqual(parsed[0], { alg: 'HS256', org_alias: 'org', token: 'tok' })
    assert.equal(parsed[1].reqHeader.timestamp, '2026-01-02 03:04:05.000')
    assert.equal(parsed[1].reqBody.userName, 'bob')
  })

  it('says no to a denial and to whatever it did not sign itself', async (t) => {
    const answers: readonly (readonly [string, RegExp, number?])[] = [
      [sign(says(20522, 'Login request denied.')), /Login request denied/],
      [sign(says(200, 'ok')), /PingID authentication failed/, 500],
      [sign(says(200, 'ok'), Buffer.from('another key')), /not signed/],
      [sign(says(200, 'ok'), KEY, 'none'), /not signed/],
      [`${sign(says(200, 'ok')).split('.').slice(0, 2).join('.')}.`, /not signed/],
      [JSON.stringify(says(200, 'ok')), /not JSON|not signed/],
      ['', /gave no answer/],
    ]
    for (const [body, text, status] of answers) {
      const { outside } = await start(t, body, status)
      await assert.rejects(askPingId(outside, method, user), text)
    }
  })

  it('settings are refused with the recorded texts', () => {
    const refused: readonly (readonly [string, string])[] = [
      ['use_signature=maybe', 'error parsing use_signature value in pingid settings file'],
      ['what=1', 'unknown key "what" in pingid settings file'],
      ['__proto__=1', 'unknown key "__proto__" in pingid settings file'],
      [
        'nothing',
        'pingid settings file contains a non-empty non-comment line that is not in key=value format: "nothing"',
      ],
    ]
    for (const [text, message] of refused) {
      assert.throws(() => readPingIdSettings(settings(`#x\n\n${text}\n`)), { message })
    }
    assert.throws(() => readPingIdSettings('%'), /not base64/)
  })
})
