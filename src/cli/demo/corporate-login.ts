import { generateKeyPairSync, sign } from 'node:crypto'

/** The company's identity provider: signs who somebody is, and which groups they are in. */
export type IdentityProvider = {
  /** PEM, for `jwt_validation_pubkeys`. */
  readonly publicKey: string
  /** A token about a person, good for five minutes. */
  readonly token: (person: string, groups: readonly string[]) => string
}

export const ISSUER = 'https://demo-corp.example'
export const AUDIENCE = 'signet'

const LIFETIME_SECONDS = 300

/** An identity provider with a key of its own. */
export const createIdentityProvider = (): IdentityProvider => {
  const keys = generateKeyPairSync('ed25519')
  const encode = (value: unknown): string =>
    Buffer.from(JSON.stringify(value)).toString('base64url')
  return {
    publicKey: keys.publicKey.export({ type: 'spki', format: 'pem' }),
    token: (person, groups) => {
      const now = Math.floor(Date.now() / 1000)
      const claims = {
        iss: ISSUER,
        aud: AUDIENCE,
        sub: person,
        groups,
        iat: now,
        exp: now + LIFETIME_SECONDS,
      }
      const content = `${encode({ alg: 'EdDSA', typ: 'JWT' })}.${encode(claims)}`
      return `${content}.${sign(null, Buffer.from(content), keys.privateKey).toString('base64url')}`
    },
  }
}
