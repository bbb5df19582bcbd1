import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

type Lock = {
  readonly packages: Readonly<Record<string, { version?: string; optional?: boolean }>>
}

const { isInstalled, nodeComplaint } = (await import(
  new URL('../scripts/setup.mjs', import.meta.url).href
)) as {
  readonly isInstalled: (lock: Lock, installed: Lock | undefined) => boolean
  readonly nodeComplaint: (version: string) => string | undefined
}

describe('scripts/setup.mjs', () => {
  it('asks for Node 20', () => {
    assert.equal(nodeComplaint('v20.0.0'), undefined)
    assert.equal(nodeComplaint('v26.10.0'), undefined)
    assert.equal(
      nodeComplaint('v18.19.1'),
      'Signet needs Node 20 or newer to set itself up; this is 18.19. https://nodejs.org',
    )
  })

  it('installs what is missing, another version, or too much, and nothing else', () => {
    const a = { version: '1.0.0' }
    const lock: Lock = {
      packages: { '': {}, 'node_modules/a': a, 'node_modules/other-cpu': { ...a, optional: true } },
    }
    assert.equal(isInstalled(lock, undefined), false)
    assert.equal(isInstalled(lock, { packages: {} }), false)
    assert.equal(isInstalled(lock, { packages: { 'node_modules/a': a } }), true)
    assert.equal(isInstalled(lock, { packages: { 'node_modules/a': { version: '1.0.1' } } }), false)
    assert.equal(
      isInstalled(lock, { packages: { 'node_modules/a': a, 'node_modules/b': a } }),
      false,
    )
  })
})
