import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { auditLimits } from '../src/audit/limits.ts'
import { httpLimits } from '../src/http/limits.ts'
import { limits } from '../src/limits.ts'
import { storageLimits } from '../src/storage/limits.ts'

const pathOf = (file: string): string => fileURLToPath(new URL(`../${file}`, import.meta.url))

const PARTS: readonly (readonly [title: string, file: string, values: object])[] = [
  ['Server', 'src/limits.ts', limits],
  ['HTTP', 'src/http/limits.ts', httpLimits],
  ['Storage', 'src/storage/limits.ts', storageLimits],
  ['Audit', 'src/audit/limits.ts', auditLimits],
]

const HEAD = `# Limits

Every bound of the server, with its reason; units are in the names. A request beyond one is refused and changes nothing. Some bounds of HTTP can be set in the [configuration](configuration.md).

This page is made of the sources by \`node test/limits-page.ts\`.
`

/** What the comment above a limit says; names that follow without a comment of their own share it. */
const reasonsOf = (source: string): ReadonlyMap<string, string> => {
  const reasons = new Map<string, string>()
  let reason = ''
  for (const line of source.split('\n')) {
    const comment = /^ {2}\/\*\* (.*) \*\/$/.exec(line)?.[1]
    const name = /^ {2}(\w+): [\d_* ]+,$/.exec(line)?.[1]
    if (comment !== undefined) reason = comment
    else if (name !== undefined) reasons.set(name, reason)
  }
  return reasons
}

/** docs/limits.md as the sources have it. */
export const limitsPage = (): string => {
  const parts = PARTS.map(([title, file, values]) => {
    const reasons = reasonsOf(readFileSync(pathOf(file), 'utf8'))
    const rows = Object.entries(values).map(([name, value]) => {
      const reason = reasons.get(name)
      if (reason === undefined) throw new Error(`${file}: no reason above ${name}`)
      return `| \`${name}\` | ${Number(value).toLocaleString('en-US')} | ${reason} |`
    })
    return `\n## ${title}\n\nFrom \`${file}\`.\n\n| | | |\n|---|---|---|\n${rows.join('\n')}\n`
  })
  return HEAD + parts.join('')
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(pathOf('docs/limits.md'), limitsPage())
