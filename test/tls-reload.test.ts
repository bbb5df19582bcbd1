import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { connect } from 'node:tls'
import { devConfig } from '../src/config/dev-config.ts'
import { startServer } from '../src/server.ts'

const certify = (folder: string, name: string): void => {
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
      .concat(['-keyout', join(folder, 'key'), '-out', join(folder, 'cert')])
      .concat(['-subj', `/CN=${name}`, '-days', '2']),
    { stdio: 'ignore' },
  )
}

const nameAt = (port: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN))
      socket.destroy()
    })
    socket.on('error', reject)
  })

it('a reload uses new certificates for new connections, and keeps the old when a file is gone', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'signet-tls-'))
  certify(folder, 'first.example')
  const config = devConfig({
    listenAddress: '127.0.0.1:0',
    rootTokenId: 'root',
    dataFolder: undefined,
  })
  const tls = {
    certFile: join(folder, 'cert'),
    keyFile: join(folder, 'key'),
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.3',
    requireClientCert: false,
    disableClientCerts: true,
  } as const
  const listeners = config.listeners.map((each) => (each.kind === 'tcp' ? { ...each, tls } : each))
  const server = await startServer({ ...config, listeners }, { log: () => {} })
  try {
    const { port } = server.addresses[0]!
    assert.equal(await nameAt(port), 'first.example')
    certify(folder, 'second.example')
    await server.reload?.()
    assert.equal(await nameAt(port), 'second.example')
    rmSync(join(folder, 'cert'))
    await assert.rejects(async () => server.reload?.(), /ENOENT/)
    assert.equal(await nameAt(port), 'second.example')
  } finally {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
})
