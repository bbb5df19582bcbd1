import { defineConfig } from 'oxlint'
import type { OxlintOverride } from 'oxlint'

/** Test aids build a whole server around the part they test; so do tests. */
const TESTS = ['**/*.test.ts', '**/testing.ts', '**/fake-*.ts']

const SEAM = ['std/**', 'limits.ts', 'engine/**']

/** What each folder of `src/` may import besides itself, relative to `src/`: the direction of the arrows in ARCHITECTURE.md. */
const MAY_IMPORT: readonly (readonly [folder: string, may: readonly string[]])[] = [
  ['std', []],
  ['storage', ['std/**', 'limits.ts']],
  ['engine', ['std/**', 'limits.ts', 'storage/store.ts']],
  ['barrier', ['std/**', 'limits.ts', 'storage/**']],
  ['seal', ['std/**', 'limits.ts', 'storage/**', 'barrier/**']],
  ['policy', SEAM],
  ['audit', SEAM],
  ['auth/*', [...SEAM, 'auth/shared/**']],
  ['engines/*', SEAM],
  ['core', [...SEAM, 'audit/**', 'barrier/**', 'policy/**', 'seal/**', 'storage/**']],
  ['http', [...SEAM, 'core/**']],
  ['ui', [...SEAM, 'core/**', 'http/**']],
  ['config', ['std/**', 'limits.ts']],
  ['client', ['std/**']],
  ['cli', ['std/**', 'client/**', 'config/**', 'server.ts', 'version.ts']],
]

/** One override for the files of a folder, one for those of its subfolders: imports are relative, so depth counts. */
const importDirection: OxlintOverride[] = MAY_IMPORT.flatMap(([folder, may]) => {
  const depth = folder.split('/').length
  const beside = folder.replace('*', '')
  return [0, 1].map((below): OxlintOverride => {
    const own = '../'.repeat(below)
    const src = '../'.repeat(depth + below)
    const allowed = may.map((path) =>
      depth > 1 && path.startsWith(beside)
        ? `${own}../${path.slice(beside.length)}`
        : `${src}${path}`,
    )
    return {
      files: [`src/${folder}/${'*/'.repeat(below)}*.ts`],
      excludeFiles: TESTS,
      rules: {
        'no-restricted-imports': [
          'error',
          {
            patterns: [
              {
                group: [`${own}../**`, ...allowed.map((path) => `!${path}`)],
                message: `src/${folder} may import itself and: ${may.join(', ') || 'nothing of ours'} (oxlint.config.ts).`,
              },
            ],
          },
        ],
      },
    }
  })
})

export default defineConfig({
  plugins: ['typescript', 'import', 'unicorn', 'promise'],
  options: { typeAware: true },
  categories: { correctness: 'error' },
  ignorePatterns: ['test/conformance/cases/**'],
  rules: {
    'typescript/no-floating-promises': [
      'error',
      {
        allowForKnownSafeCalls: [
          {
            from: 'package',
            package: 'node:test',
            name: ['it', 'describe', 'test', 'suite', 'before', 'after', 'beforeEach', 'afterEach'],
          },
        ],
      },
    ],
    'typescript/no-misused-promises': 'error',
    'typescript/await-thenable': 'error',
    'typescript/switch-exhaustiveness-check': 'error',
    'import/no-cycle': 'error',
    'no-param-reassign': 'off',
  },
  overrides: importDirection,
})
