import { parseKeyring } from './keyring.ts'
import { Sealer } from './sealer.ts'

/* A second process for the tests of nonces: seals values under the keyring that it is sent, and sends their headers back. */
process.once('message', ({ keyring, count }: { keyring: string; count: number }) => {
  const sealer = new Sealer(parseKeyring(Buffer.from(keyring, 'base64')))
  const sealed = Array.from({ length: count }, (_, index) =>
    sealer.seal(Buffer.from(`key/${index}`), Buffer.from('value')),
  )
  process.send!(sealed.map((one) => Buffer.from(one).toString('hex', 0, 29)))
  process.disconnect!()
})
