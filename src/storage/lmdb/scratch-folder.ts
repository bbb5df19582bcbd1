import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

/** An empty folder, removed at the end of the test. */
export const scratchFolder = (test: TestContext): string => {
  const folder = mkdtempSync(join(tmpdir(), 'signet-test-'))
  test.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
