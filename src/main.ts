import { resolveOwnImports } from './own-imports.ts'

resolveOwnImports()
const { processIo } = await import('./cli/process-io.ts')
const { runCommandLine } = await import('./cli/run.ts')
process.exitCode = await runCommandLine(process.argv.slice(2), processIo())
