import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { glob } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

const prefixesOfSource = async (): Promise<readonly string[]> => {
  const found: string[] = []
  for await (const file of glob('src/**/*.ts', { cwd: root })) {
    if (/(\.test|\/testing|\/fake-[^/]*)\.ts$/.test(file)) continue
    const text = readFileSync(`${root}/${file}`, 'utf8')
    for (const [, prefix = ''] of text.matchAll(
      /= (?:(?:nameTree\()?recordKind<[^=]*?>|markKind)\(\s*'([^']+)'/g,
    ))
      found.push(prefix)
  }
  return found.toSorted((a, b) => (a < b ? -1 : 1))
}

describe('record prefixes', () => {
  it('are unique over the server', async () => {
    const prefixes = await prefixesOfSource()
    assert.ok(prefixes.length > 40)
    assert.deepEqual(prefixes, [...new Set(prefixes)])
  })

  it('stand in the table of ARCHITECTURE.md, each once, and no others', async () => {
    const page = readFileSync(`${root}/ARCHITECTURE.md`, 'utf8')
    const table = page.slice(page.indexOf('### Records'), page.indexOf('### What guards what'))
    const listed = [...table.matchAll(/^\| `([a-z]+)` \|/gm)].map(([, prefix = '']) => prefix)
    assert.deepEqual(listed, await prefixesOfSource(), 'ARCHITECTURE.md (first) and src differ')
  })
})
