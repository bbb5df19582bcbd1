import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { fileOf } from './own-imports.ts'

test('imports between the sources lead where URLs lead', () => {
  const folder = fileURLToPath(new URL('.', import.meta.url))
  let count = 0
  for (const file of globSync('**/*.ts', { cwd: folder })) {
    const from = pathToFileURL(`${folder}${file}`).href
    const text = readFileSync(`${folder}${file}`, 'utf8')
    for (const [, specifier] of text.matchAll(/(?:from |import\()'(\.[^']*\.ts)'/g)) {
      assert.equal(fileOf(specifier!, from), new URL(specifier!, from).href)
      count++
    }
  }
  assert.ok(count > 1_000, `only ${count} imports were found`)
})
