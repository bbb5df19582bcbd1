import assert from 'node:assert/strict'
import { chmod, copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { root, runProgram } from './support/signet.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'signet-'))
})

afterEach(async () => {
  await rm(folder, { recursive: true })
})

const system = '/usr/bin:/bin'

/** A checkout where nothing is installed, and a PATH whose node says this version and what it is told. */
const bareCheckout = async (version: string): Promise<{ launcher: string; PATH: string }> => {
  const launcher = join(folder, 'bin', 'signet')
  await mkdir(join(folder, 'bin'))
  await mkdir(join(folder, 'path'))
  await copyFile(join(root, 'bin', 'signet'), launcher)
  const node = join(folder, 'path', 'node')
  await writeFile(node, `#!/bin/sh\n[ "$1" = --version ] && echo ${version} && exit\necho "$@"\n`)
  await chmod(node, 0o755)
  return { launcher, PATH: `${join(folder, 'path')}:${system}` }
}

describe('bin/signet', () => {
  it('runs through symbolic links and from any folder, whatever Node is on the PATH', async () => {
    await symlink(join(root, 'bin', 'signet'), join(folder, 'one'))
    await symlink('one', join(folder, 'two'))
    const { code, stdout } = await runProgram(
      join(folder, 'two'),
      ['version'],
      { PATH: system },
      folder,
    )
    assert.equal(code, 0)
    assert.match(stdout, /^Signet v\d+\.\d+\.\d+ \(Node 2[4-9]\.|^Signet v.*\(Node [3-9]\d\./)
  })

  it('lets no options of other programs through', async () => {
    const env = { NODE_OPTIONS: '--no-such-option', NODE_PATH: '/nonexistent' }
    const { code } = await runProgram(join(root, 'bin', 'signet'), ['version'], env)
    assert.equal(code, 0)
  })

  it('takes an installed Node 24 or newer where npm has none, and keeps its compiled code', async () => {
    const { launcher, PATH } = await bareCheckout('v24.12.0')
    const { code, stdout } = await runProgram(launcher, ['status', 'a b'], { PATH })
    assert.equal(code, 0)
    assert.equal(
      stdout,
      `--disable-sigusr1 --max-semi-space-size=8 ${folder}/src/main.ts status a b\n`,
    )
  })

  it('says in one line what to install otherwise', async () => {
    const { launcher, PATH } = await bareCheckout('v20.20.2')
    const { code, stdout, stderr } = await runProgram(launcher, ['status'], { PATH })
    assert.equal(code, 1)
    assert.equal(stdout, '')
    assert.match(stderr, /^signet: no runtime here: .*Node 24 or newer.*\n$/)
  })
})
