import { writeSync } from 'node:fs'
import { claimDataFolder } from './data-folder.ts'

/* A second process for the tests of ownership: claims the folder, prints how that went, and stays until it is killed. */
try {
  await claimDataFolder({ path: process.argv[2]! })
  writeSync(1, 'owner\n')
  process.stdin.resume()
} catch (error) {
  writeSync(1, `${error instanceof Error ? `${error.name}: ${error.message}` : 'unknown'}\n`)
}
