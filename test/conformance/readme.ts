import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const README = fileURLToPath(new URL('../../README.md', import.meta.url))
const COUNT = /replays ([\d,]+) recorded Vault-API steps: ([\d,]+) identical/

const text = (count: number): string => count.toLocaleString('en-US')

/** What the README says of the replay. */
export const readmeClaim = (): string | undefined => COUNT.exec(readFileSync(README, 'utf8'))?.[0]

/** What it should say. */
export const measuredClaim = (count: {
  readonly total: number
  readonly identical: number
}): string =>
  `replays ${text(count.total)} recorded Vault-API steps: ${text(count.identical)} identical`

/** Brings the README up to date. */
export const saveReadmeClaim = (count: {
  readonly total: number
  readonly identical: number
}): void => writeFileSync(README, readFileSync(README, 'utf8').replace(COUNT, measuredClaim(count)))
