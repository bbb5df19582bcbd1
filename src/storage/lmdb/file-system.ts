import { statfsSync } from 'node:fs'

/** Types of statfs(2) on which memory maps or locks are not shared as LMDB needs them (architecture.md C4). */
const UNSUITABLE: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x01021997, '9p'],
  [0x65735546, 'FUSE'],
  [0x5346414f, 'AFS'],
  [0x00c36400, 'Ceph'],
  [0x0bd00bd0, 'Lustre'],
  [0x73757245, 'Coda'],
])

/** The name of a network or user-space file system by its statfs type, undefined for one that LMDB may use. */
export const unsuitableFileSystem = (type: number): string | undefined => UNSUITABLE.get(type >>> 0)

/** Throws an Error that names the file system if the folder is on one where LMDB would lose data. Linux only: elsewhere types differ. */
export const ensureLocalFileSystem = (folder: string): void => {
  if (process.platform !== 'linux') return
  const name = unsuitableFileSystem(statfsSync(folder).type)
  if (name !== undefined) {
    throw new Error(
      `${folder} is on a ${name} file system, where memory maps and locks are not safe: use a local disk for the data`,
    )
  }
}
