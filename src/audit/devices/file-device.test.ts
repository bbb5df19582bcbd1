import assert from 'node:assert/strict'
import {
  appendFileSync,
  chmodSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { after, test } from 'node:test'
import { openAppend } from '../append-file.ts'
import type { AuditDevice, DeviceHost } from '../device.ts'
import { FakeFiles, systemError } from '../fake-files.ts'
import { fileDevice } from './file-device.ts'

const PATH = '/log/audit.log'

const hostOf = (parts: Partial<DeviceHost>): DeviceHost => ({
  openAppend,
  stdout: process.stdout,
  environment: {},
  ...parts,
})

const fake = (): { files: FakeFiles; device: AuditDevice } => {
  const files = new FakeFiles()
  return { files, device: fileDevice({ file_path: PATH }, hostOf(files)) }
}

const statuses = async (lines: readonly Promise<void>[]): Promise<string[]> =>
  (await Promise.allSettled(lines)).map(({ status }) => status)

test('the lines of concurrent requests go in few writes, whole and in order', async () => {
  const { files, device } = fake()
  await device.open()
  const wanted = Array.from({ length: 500 }, (_, n) => `line ${n}`)
  await Promise.all(wanted.map((line) => device.write(`${line}\n`)))
  assert.deepEqual(files.lines(PATH), wanted)
  assert.equal(files.writes, 1)
})

test('a disk that fills half-way fails every line of the write; the next write begins on a line of its own', async () => {
  const { files, device } = fake()
  await device.write('one\n')
  files.room = 6
  assert.deepEqual(await statuses([device.write('two\n'), device.write('three\n')]), [
    'rejected',
    'rejected',
  ])
  assert.equal(files.text(PATH), 'one\ntwo\nth')
  await assert.rejects(device.write('four\n'))
  files.room = Infinity
  await device.write('five\n')
  assert.equal(files.text(PATH), 'one\ntwo\nth\nfive\n')
})

test('a write cut at the end of a line leaves no empty line', async () => {
  const { files, device } = fake()
  files.room = 4
  await assert.rejects(Promise.all([device.write('two\n'), device.write('three\n')]))
  files.room = Infinity
  await device.write('four\n')
  assert.equal(files.text(PATH), 'two\nfour\n')
})

test('a log that ends in the middle of a line is continued on a new one', async () => {
  const { files, device } = fake()
  files.contents.set(PATH, Buffer.from('{"half'))
  await device.write('next\n')
  assert.equal(files.text(PATH), '{"half\nnext\n')
})

test('after an error with nothing written the file is opened anew, once', async () => {
  const { files, device } = fake()
  await device.open()
  files.failures.push(systemError('EIO', -5, 'write'))
  await device.write('one\n')
  assert.deepEqual([files.text(PATH), files.opens, files.open], ['one\n', 2, 1])
  files.failures.push(systemError('EIO', -5, 'write'), systemError('EIO', -5, 'write'))
  await assert.rejects(device.write('two\n'), { code: 'EIO' })
  await device.write('three\n')
  assert.equal(files.text(PATH), 'one\nthree\n')
})

test('a file that cannot be opened says why, and is tried again at each write', async () => {
  const { files, device } = fake()
  files.refusal = systemError('EACCES', -13, 'open', PATH)
  const message = `sanity check failed; unable to open "${PATH}" for writing: open ${PATH}: permission denied`
  await assert.rejects(device.open(), { message })
  await assert.rejects(device.write('lost\n'), { message })
  files.refusal = undefined
  await device.write('kept\n')
  assert.equal(files.text(PATH), 'kept\n')
})

test('reopening lets the old file go, even where the new one cannot be opened', async () => {
  const { files, device } = fake()
  await device.write('one\n')
  files.refusal = systemError('ENOENT', -2, 'open', PATH)
  await assert.rejects(device.reopen(), /no such file or directory/)
  assert.equal(files.open, 0)
  await assert.rejects(device.write('two\n'), /no such file or directory/)
  files.refusal = undefined
  await device.reopen()
  await device.write('three\n')
  assert.equal(files.text(PATH), 'one\nthree\n')
  await device.close()
  assert.equal(files.open, 0)
})

test('bad options are refused before anything is opened', () => {
  const { files } = fake()
  const refused = (options: Record<string, string>, message: string): void => {
    assert.throws(() => fileDevice(options, hostOf(files)), { name: 'Refusal', message })
  }
  refused({}, 'file_path is required')
  refused({ file_path: '' }, 'file_path is required')
  refused({ file_path: '/x', mode: 'rw' }, 'strconv.ParseUint: parsing "rw": invalid syntax')
  refused(
    { file_path: '/x', mode: '77777' },
    'the mode "77777" has more bits than a file\'s permissions',
  )
  refused({ file_path: '/x\0' }, 'file_path must not hold a zero byte')
  assert.equal(files.opens, 0)
})

test('stdout gets lines and is never closed; discard takes and keeps nothing', async () => {
  const { files } = fake()
  let text = ''
  let fails = false
  const stdout = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      if (fails) return done(new Error('the pipe is gone'))
      text += chunk.toString()
      done()
    },
  })
  stdout.on('error', () => undefined)
  const device = fileDevice({ path: 'STDOUT' }, hostOf({ openAppend: files.openAppend, stdout }))
  await device.open()
  await Promise.all([device.write('a\n'), device.write('b\n')])
  await device.reopen()
  await device.close()
  assert.deepEqual([text, stdout.writableEnded], ['a\nb\n', false])
  fails = true
  await assert.rejects(device.write('c\n'), /the pipe is gone/)
  await fileDevice({ file_path: 'Discard' }, hostOf(files)).write('gone\n')
  assert.equal(files.opens, 0)
})

const folder = mkdtempSync(join(tmpdir(), 'signet-audit-'))
after(() => rmSync(folder, { recursive: true }))

test('on disk: folders are made, modes are kept to, execute bits dropped, 0000 leaves a file as it is', async () => {
  const path = join(folder, 'deep', 'er', 'audit.log')
  const modeOf = (file: string): number => statSync(file).mode & 0o777
  const use = async (options: Record<string, string>): Promise<void> => {
    const device = fileDevice({ file_path: path, ...options }, hostOf({}))
    await device.write('x\n')
    await device.close()
  }
  await use({})
  assert.deepEqual([modeOf(path), modeOf(join(folder, 'deep'))], [0o600, 0o700])
  await use({ mode: '0755' })
  assert.equal(modeOf(path), 0o644)
  chmodSync(path, 0o640)
  await use({ mode: '0000' })
  assert.equal(modeOf(path), 0o640)
  assert.equal(readFileSync(path, 'utf8'), 'x\nx\nx\n')
})

test('on disk: two devices on one file lose nothing, and a rotation begins a new file', async () => {
  const path = join(folder, 'shared.log')
  const devices = [0, 1].map(() => fileDevice({ file_path: path }, hostOf({})))
  const line = (device: number, n: number): string => `${device}:${n}:${'x'.repeat(2000)}`
  await Promise.all(
    devices.flatMap((device, d) =>
      Array.from({ length: 200 }, (_, n) => device.write(`${line(d, n)}\n`)),
    ),
  )
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1)
  assert.equal(lines.length, 400)
  for (const d of [0, 1]) {
    assert.deepEqual(
      lines.filter((text) => text.startsWith(`${d}:`)),
      Array.from({ length: 200 }, (_, n) => line(d, n)),
    )
  }
  renameSync(path, `${path}.1`)
  await devices[0]!.write('still old\n')
  await devices[0]!.reopen()
  await devices[0]!.write('new\n')
  assert.equal(readFileSync(path, 'utf8'), 'new\n')
  assert.ok(readFileSync(`${path}.1`, 'utf8').endsWith('still old\n'))
  await Promise.all(devices.map((device) => device.close()))
})

test('on disk: a line that another process is still writing is no torn one', async () => {
  const path = join(folder, 'growing.log')
  writeFileSync(path, 'half of a')
  const device = fileDevice({ file_path: path }, hostOf({}))
  const opening = device.open()
  await new Promise((resolve) => setTimeout(resolve, 3))
  appendFileSync(path, ' line\n')
  await opening
  await device.write('mine\n')
  assert.equal(readFileSync(path, 'utf8'), 'half of a line\nmine\n')
  await device.close()
})

test('on disk: a line torn by a crash is ended, and a folder in the place of the file is told', async () => {
  const path = join(folder, 'torn.log')
  writeFileSync(path, '{"half')
  const device = fileDevice({ file_path: path }, hostOf({}))
  await device.write('whole\n')
  await device.close()
  assert.equal(readFileSync(path, 'utf8'), '{"half\nwhole\n')
  await assert.rejects(fileDevice({ file_path: folder }, hostOf({})).open(), {
    message: `sanity check failed; unable to open "${folder}" for writing: open ${folder}: illegal operation on a directory`,
  })
})
