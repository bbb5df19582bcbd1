import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { it } from 'node:test'
import { limitsPage } from './limits-page.ts'

it('docs/limits.md says what the sources say; made anew by: node test/limits-page.ts', () => {
  const page = readFileSync(new URL('../docs/limits.md', import.meta.url), 'utf8')
  assert.equal(page, limitsPage())
})
