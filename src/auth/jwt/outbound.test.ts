import assert from 'node:assert/strict'
import type { RequestListener, Server } from 'node:http'
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { after, describe, it } from 'node:test'
import { outbound } from './outbound.ts'

/** Of a server called idp.test that is its own CA; made for this test and trusted nowhere else. */
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQghTwNpgfIZON0Lofw
2V8jjomCcshxOrwijE/c0/cfkhuhRANCAAR0Ef4o5Iyk9nYoJMI4uKejluDToI1B
KIztz3ALIk5+Lq7Y1HkZJv5KNE9/PAEu71CJ5QFeTb8DrjoElLSg7Bgh
-----END PRIVATE KEY-----`
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBXTCCAQSgAwIBAgIBATAKBggqhkjOPQQDAjATMREwDwYDVQQDDAhpZHAudGVz
dDAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAwMFowEzERMA8GA1UEAwwI
aWRwLnRlc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAR0Ef4o5Iyk9nYoJMI4
uKejluDToI1BKIztz3ALIk5+Lq7Y1HkZJv5KNE9/PAEu71CJ5QFeTb8DrjoElLSg
7Bgho0cwRTATBgNVHREEDDAKgghpZHAudGVzdDAPBgNVHRMBAf8EBTADAQH/MB0G
A1UdDgQWBBTMYeDcdyegA6DmT7SpHRhWeqa9LTAKBggqhkjOPQQDAgNHADBEAiBJ
yH7Ev2QzW62gw12ZPoo86Mqno7N39Z5CBkQqGKleuAIgV2CF2nPse3eSC0AKtfby
Gdm57orVSiP8n2/yOyiyfak=
-----END CERTIFICATE-----`

const servers: Server[] = []
after(() => {
  for (const server of servers) server.close()
})

const started = async (server: Server): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  servers.push(server)
  return (server.address() as AddressInfo).port
}

const listen = async (listener: RequestListener): Promise<string> =>
  `http://127.0.0.1:${await started(createServer(listener))}`

const listenTls = async (listener: RequestListener): Promise<string> =>
  `https://127.0.0.1:${await started(createTlsServer({ key: KEY, cert: CERTIFICATE }, listener))}`

describe('a request to a provider', () => {
  const trust = { caPem: '', serverNames: [] }

  it('fails for an answer that does not end', async () => {
    const url = await listen((_, response) => {
      const chunk = Buffer.alloc(65_536)
      const more = (): void => {
        while (!response.destroyed && response.write(chunk));
      }
      response.on('drain', more)
      more()
    })
    await assert.rejects(outbound(url, trust), { message: 'the answer is too long' })
  })

  it('fails with a reason that tells nothing of the network', async () => {
    const url = await listen((_, response) => response.destroy())
    await assert.rejects(outbound(url, trust), { message: 'the request failed (ECONNRESET)' })
  })

  it('sends a form to its own address only', async () => {
    const seen: string[] = []
    const url = await listen((request, response) => {
      seen.push(`${request.method} ${request.url}`)
      response.statusCode = 307
      response.setHeader('location', '/elsewhere')
      response.end()
    })
    const answer = await outbound(`${url}/token`, trust, { form: { client_secret: 's' } })
    assert.equal(answer.status, 307)
    assert.deepEqual(seen, ['POST /token'])
  })

  it('trusts the CA that is given, and no other', async () => {
    const url = await listenTls((_, response) => response.end('{}'))
    const serverNames = ['other.test', 'idp.test']
    assert.equal((await outbound(url, { caPem: CERTIFICATE, serverNames })).body, '{}')
    await assert.rejects(outbound(url, { caPem: '', serverNames }), {
      message: 'the request failed (DEPTH_ZERO_SELF_SIGNED_CERT)',
    })
  })

  it('takes the name of the host in the certificate, or those that are given', async () => {
    const url = await listenTls((_, response) => response.end('{}'))
    for (const serverNames of [[], ['other.test']]) {
      await assert.rejects(outbound(url, { caPem: CERTIFICATE, serverNames }), {
        message: 'the request failed (ERR_TLS_CERT_ALTNAME_INVALID)',
      })
    }
  })

  it('does not follow a redirect from https to http', async () => {
    const plain = await listen((_, response) => response.end('{"keys":[]}'))
    const url = await listenTls((_, response) => {
      response.writeHead(302, { location: plain })
      response.end()
    })
    await assert.rejects(outbound(url, { caPem: CERTIFICATE, serverNames: ['idp.test'] }), {
      message: 'a redirect leads from https to http',
    })
  })
})
