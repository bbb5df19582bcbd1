import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ListenerTls } from '../../src/config/server-config.ts'

/** Of a server at 127.0.0.1 or localhost that is its own CA; made for tests and trusted nowhere else. */
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgy7ijgeqQw0eaBzXb
Go0N3F2hc62K9zSJMQLD28vmk8qhRANCAATuExpXG9234PFgMgvNpKeIVYUBuSVs
EdKWJ/routTd3tivdOLXgaPveNMgG5DUA9TfeGv316/QOnqm3FvVoFbs
-----END PRIVATE KEY-----`

/** The certificate, for clients that are to trust it. */
export const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBZzCCAQ2gAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlsb2NhbGhv
c3QwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBQxEjAQBgNVBAMM
CWxvY2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABO4TGlcb3bfg8WAy
C82kp4hVhQG5JWwR0pYn+ui61N3e2K904teBo+940yAbkNQD1N94a/fXr9A6eqbc
W9WgVuyjTjBMMA8GA1UdEwEB/wQFMAMBAf8wHQYDVR0OBBYEFC2JA/nE8Nxv1lJc
J5mTjk+Lpb3+MBoGA1UdEQQTMBGHBH8AAAGCCWxvY2FsaG9zdDAKBggqhkjOPQQD
AgNIADBFAiEAw1uPskW0VEpRH7RAVmqO8K+RpkdqBSTTKuuu2jKMpDACIHp51E+3
p5CdikZp+LORJsZ8ln+zkTjzy26RXR2aT2qd
-----END CERTIFICATE-----`

/** A listener's certificate in files of their own. */
export type TestTls = {
  readonly tls: ListenerTls
  remove(): void
}

/** Writes key and certificate where a listener can read them. */
export const createTls = (): TestTls => {
  const folder = mkdtempSync(join(tmpdir(), 'signet-tls-'))
  const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  writeFileSync(certFile, CERTIFICATE)
  writeFileSync(keyFile, KEY, { mode: 0o600 })
  return {
    tls: {
      certFile,
      keyFile,
      minVersion: 'TLSv1.2',
      maxVersion: 'TLSv1.3',
      requireClientCert: false,
      disableClientCerts: true,
    },
    remove: () => rmSync(folder, { recursive: true }),
  }
}

/** `fetch` as libraries call it, that trusts the certificate and follows no redirect; each call is a connection of its own. */
export const fetchTls = (url: string | URL, init: RequestInit = {}): Promise<Response> =>
  new Promise((resolve, reject) => {
    const { method = 'GET', body } = init
    const headers = Object.fromEntries(new Headers(init.headers))
    const payload = body === undefined || body === null ? undefined : textOf(body)
    const sent = request(url, { method, headers, ca: CERTIFICATE, agent: false }, (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('error', reject)
      incoming.on('end', () => {
        const status = incoming.statusCode ?? 0
        const received = new Headers()
        for (const [name, value] of Object.entries(incoming.headers))
          for (const one of [value ?? []].flat()) received.append(name, one)
        const text = Buffer.concat(chunks)
        resolve(new Response(status === 204 ? null : text, { status, headers: received }))
      })
    })
    sent.on('error', reject)
    sent.end(payload)
  })

const textOf = (body: NonNullable<RequestInit['body']>): string => {
  if (typeof body === 'string') return body
  if (body instanceof URLSearchParams) return body.toString()
  throw new TypeError('only texts and forms are sent here')
}
