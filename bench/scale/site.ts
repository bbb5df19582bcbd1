import { createPrivateKey, sign } from 'node:crypto'
import type { Child } from '../child.ts'
import { send } from '../drive.ts'
import type { Sizes } from './dataset.ts'
import type { Issuer } from './load.ts'

/** A server with the data of one size. */
export interface Site {
  readonly server: Child
  readonly sizes: Sizes
  readonly accessors: Readonly<Record<'jwt' | 'token' | 'spread', string>>
  /** Tokens of applications, without an entity: nothing that is changed is part of what they rest on. */
  readonly askers: readonly string[]
  /** The text of a JWT that the issuer vouches with. */
  readonly jwtOf: (subject: string) => string
}

const ASKERS = 20

const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Signs JWTs that live for some hours. */
export const signer = ({ privateKey }: Issuer): Site['jwtOf'] => {
  const key = createPrivateKey(privateKey)
  const head = base64({ alg: 'EdDSA', typ: 'JWT' })
  const iat = Math.floor(Date.now() / 1_000)
  const exp = iat + 4 * 3_600
  return (sub) => {
    const signed = `${head}.${base64({ sub, aud: 'signet', iat, nbf: iat, exp })}`
    return `${signed}.${sign(null, Buffer.from(signed), key).toString('base64url')}`
  }
}

/** A loaded server, ready to be measured. */
export const siteOf = async (server: Child, sizes: Sizes, issuer: Issuer): Promise<Site> => {
  const { data } = (await send(server.port, 'GET', 'sys/auth')) as {
    readonly data: Readonly<Record<string, { readonly accessor: string }>>
  }
  const askers: string[] = []
  for (let i = 0; i < ASKERS; i++) {
    const made = (await send(server.port, 'POST', 'auth/token/create', {
      policies: ['people'],
      no_parent: true,
    })) as { readonly auth: { readonly client_token: string } }
    askers.push(made.auth.client_token)
  }
  const accessor = (path: string): string => data[path]!.accessor
  return {
    server,
    sizes,
    accessors: {
      jwt: accessor('jwt/'),
      token: accessor('token/'),
      spread: accessor('spread-0/'),
    },
    askers,
    jwtOf: signer(issuer),
  }
}
