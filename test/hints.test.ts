import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { glob } from 'node:fs/promises'
import { it } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Hints are given as `{ code: '…', text }`, or by `call.hint('…', text)`. */
const CODES = /(?:\bcode: |\.hint\(\s*)'([a-z][a-z-]+)'/g

const codesOfSource = async (): Promise<readonly string[]> => {
  const codes = new Set<string>()
  for await (const file of glob('src/{auth,core,engine,engines,http,policy}/**/*.ts', {
    cwd: root,
  })) {
    if (file.endsWith('.test.ts')) continue
    const text = readFileSync(`${root}/${file}`, 'utf8')
    for (const [, code = ''] of text.matchAll(CODES)) codes.add(code)
  }
  return [...codes].toSorted()
}

it('every hint has a section of docs/hints.md, and every section a hint', async () => {
  const page = readFileSync(`${root}/docs/hints.md`, 'utf8')
  const sections = [...page.matchAll(/^## ([a-z][a-z-]+)$/gm)].map(([, code = '']) => code)
  assert.deepEqual(sections, sections.toSorted(), 'sections stand in the order of the alphabet')
  assert.deepEqual(sections, await codesOfSource(), 'docs/hints.md (first) and src differ')
})
