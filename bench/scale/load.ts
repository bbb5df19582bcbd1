import { generateKeyPairSync } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { drive, requestText, send } from '../drive.ts'
import type { Sizes } from './dataset.ts'
import { POLICIES, spreadMount, stages, tokenName } from './dataset.ts'

/** Lines of one request, as the command line sends them, and requests under way at once. */
const BATCH_LINES = 10_000
const BATCHES_AT_ONCE = 8

/** Told how far the loading is. */
export type Progress = (line: string) => void

/** Who signs the JWTs of logins. */
export interface Issuer {
  /** PEM. */
  readonly privateKey: string
  readonly publicKey: string
}

/** The issuer of a data folder, made with it. */
export const issuerOf = (folder: string): Issuer => {
  const file = join(folder, 'issuer.json')
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Issuer
  const issuer = generateKeyPairSync('ed25519', {
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  writeFileSync(file, JSON.stringify(issuer), { mode: 0o600 })
  return issuer
}

/** A mount on which whoever the issuer vouches for logs in. */
export const enableJwt = async (port: number, path: string, issuer: Issuer): Promise<void> => {
  await send(port, 'POST', `sys/auth/${path}`, { type: 'jwt' })
  await send(port, 'POST', `auth/${path}/config`, { jwt_validation_pubkeys: [issuer.publicKey] })
  await send(port, 'POST', `auth/${path}/role/people`, {
    role_type: 'jwt',
    user_claim: 'sub',
    bound_audiences: ['signet'],
    token_policies: ['people'],
  })
}

const PEOPLE = `path "identity/*" { capabilities = ["create", "read", "update", "delete", "list"] }
path "auth/token/create" { capabilities = ["update"] }
`

const makeSurroundings = async (port: number, sizes: Sizes, issuer: Issuer): Promise<void> => {
  await send(port, 'POST', 'sys/policies/acl/people', { policy: PEOPLE })
  for (let i = 0; i < POLICIES; i++) {
    for (const whose of ['group', 'person']) {
      const policy = `path "secret/data/${whose}-${i}/*" { capabilities = ["read"] }`
      await send(port, 'POST', `sys/policies/acl/${whose}-${i}`, { policy })
    }
  }
  await enableJwt(port, 'jwt', issuer)
  await send(port, 'POST', 'auth/token/roles/people', {
    allowed_entity_aliases: ['t-*'],
    allowed_policies: ['people'],
    orphan: true,
  })
  for (let i = 0; i < sizes.aliases; i++) {
    await send(port, 'POST', `sys/auth/${spreadMount(i)}`, { type: 'jwt' })
  }
}

const bodiesOf = function* (lines: Iterable<object>): Iterable<readonly [string, number]> {
  let texts: string[] = []
  for (const line of lines) {
    texts.push(JSON.stringify(line))
    if (texts.length < BATCH_LINES) continue
    yield [texts.join('\n'), texts.length]
    texts = []
  }
  if (texts.length > 0) yield [texts.join('\n'), texts.length]
}

/** Imports lines; throws when one of them is refused. */
export const importBody = async (port: number, body: string): Promise<void> => {
  const response = await fetch(`http://127.0.0.1:${port}/v1/identity/import?results=refused`, {
    method: 'POST',
    headers: { 'x-vault-token': 'root', 'content-type': 'application/x-ndjson' },
    body,
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`import: ${response.status} ${text}`)
  const { data } = JSON.parse(text) as { data: { refused: number; results: readonly unknown[] } }
  if (data.refused > 0) {
    throw new Error(`${data.refused} lines refused: ${JSON.stringify(data.results.slice(0, 3))}`)
  }
}

const rateOf = (count: number, began: number): string => {
  const seconds = (performance.now() - began) / 1_000
  return `${seconds.toFixed(0)} s, ${(count / seconds).toFixed(0)} a second`
}

/** Makes the policies and mounts, imports identity, and makes the live tokens. */
export const load = async (
  port: number,
  sizes: Sizes,
  issuer: Issuer,
  progress: Progress,
): Promise<void> => {
  const started = performance.now()
  await makeSurroundings(port, sizes, issuer)
  progress(`policies and ${sizes.aliases} mounts: ${rateOf(sizes.aliases, started)}`)
  for (const { name, lines } of stages(sizes)) {
    const began = performance.now()
    const bodies = bodiesOf(lines())[Symbol.iterator]()
    let count = 0
    let told = began
    const sender = async (): Promise<void> => {
      for (let next = bodies.next(); next.done !== true; next = bodies.next()) {
        const [body, length] = next.value
        await importBody(port, body)
        count += length
        if (performance.now() < told + 30_000) continue
        told = performance.now()
        progress(`  … ${count} lines of ${name}: ${rateOf(count, began)}`)
      }
    }
    await Promise.all(Array.from({ length: BATCHES_AT_ONCE }, sender))
    progress(`${count} lines of ${name}: ${rateOf(count, began)}`)
  }
  const began = performance.now()
  await makeMany(port, sizes.tokens, (i) =>
    requestText('POST', 'auth/token/create/people', 'root', {
      id: tokenName(i),
      entity_alias: tokenName(i),
      policies: ['people'],
    }),
  )
  progress(`${sizes.tokens} live tokens: ${rateOf(sizes.tokens, began)}`)
}

/** Sends so many requests over 64 connections; throws when one is refused. */
export const makeMany = async (
  port: number,
  requests: number,
  ask: (count: number) => string,
): Promise<void> => {
  const { refused, refusal } = await drive({ port, clients: 64, requests, ask })
  if (refused > 0) throw new Error(`${refused} of ${requests} were refused: ${refusal}`)
}
