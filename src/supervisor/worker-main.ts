import { resolveOwnImports } from '../own-imports.ts'

/* Where a worker process begins. */
resolveOwnImports()
await import('./worker.ts')
