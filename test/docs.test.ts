import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { glob } from 'node:fs/promises'
import { it } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (file: string): string => readFileSync(`${root}/${file}`, 'utf8')

it('every runtime dependency is in docs/decisions', () => {
  const { dependencies } = JSON.parse(read('package.json')) as {
    readonly dependencies: Readonly<Record<string, string>>
  }
  const list = read('docs/decisions/README.md')
  for (const name of Object.keys(dependencies))
    assert.ok(list.includes(`[${name}](`), `docs/decisions/README.md does not link ${name}`)
})

it('links between the pages lead to files and headings that exist', async () => {
  const broken: string[] = []
  for await (const page of glob(['*.md', 'docs/**/*.md'], { cwd: root })) {
    for (const [, target = ''] of read(page).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue
      const [file = '', anchor = ''] = target.split('#')
      const base = new URL(page, new URL(`file://${root}`))
      const path = file === '' ? base : new URL(file, base)
      try {
        const text = readFileSync(path, 'utf8')
        if (anchor !== '' && !anchorsOf(text).includes(anchor)) broken.push(`${page}: ${target}`)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EISDIR') continue
        broken.push(`${page}: ${target}`)
      }
    }
  }
  assert.deepEqual(broken, [])
})

it('every page is in the table of the README, and every decision in the list of decisions', async () => {
  const missing: string[] = []
  const readme = read('README.md')
  const list = read('docs/decisions/README.md')
  for await (const page of glob('docs/**/*.md', { cwd: root })) {
    const decision = /^docs\/decisions\/(.*)$/.exec(page)?.[1]
    const linked =
      decision === undefined || decision === 'README.md'
        ? readme.includes(`](${page})`)
        : list.includes(`](${decision})`)
    if (!linked) missing.push(page)
  }
  assert.deepEqual(missing, [])
})

/** The anchors that GitHub makes of headings. */
const anchorsOf = (text: string): readonly string[] =>
  [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )
