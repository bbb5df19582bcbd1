import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { describe, it } from 'node:test'
import { ensureLocalFileSystem, unsuitableFileSystem } from './file-system.ts'

describe('the file system of the data folder', () => {
  it('is refused by name when it is a network or user-space one', () => {
    assert.equal(unsuitableFileSystem(0x6969), 'NFS')
    assert.equal(unsuitableFileSystem(0xff534d42), 'CIFS')
    // statfs gives the type as a signed number on some platforms.
    assert.equal(unsuitableFileSystem(0xff534d42 | 0), 'CIFS')
    assert.equal(unsuitableFileSystem(0x01021997), '9p')
    assert.equal(unsuitableFileSystem(0x65735546), 'FUSE')
  })

  it('is taken when it is a local one', () => {
    for (const type of [0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x794c7630, 0x2fc12fc1]) {
      assert.equal(unsuitableFileSystem(type), undefined)
    }
    ensureLocalFileSystem(tmpdir())
  })
})
