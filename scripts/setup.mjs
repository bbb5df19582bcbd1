// What `npm start` and `npm test` run first: on a fresh clone nothing is installed yet, and Node may
// be too old for Signet itself. So this is plain JavaScript for Node 20, without dependencies.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const SETUP_NODE = 20
const RUNTIME_NODE = 24

const root = dirname(dirname(fileURLToPath(import.meta.url)))

const majorOf = (version) => Number(/^v?(\d+)/.exec(version)?.[1] ?? 0)

const fail = (text) => {
  console.error(text)
  process.exit(1)
}

/** The text for a Node that is too old to set Signet up; undefined for one that will do. */
export const nodeComplaint = (version) => {
  if (majorOf(version) >= SETUP_NODE) return undefined
  const short = version.replace(/^v/, '').split('.').slice(0, 2).join('.')
  return `Signet needs Node ${SETUP_NODE} or newer to set itself up; this is ${short}. https://nodejs.org`
}

/**
 * Whether what is installed is what the lock file says, by npm's own record of it. Packages for other
 * platforms are in the lock and not installed.
 */
export const isInstalled = (lock, installed) => {
  if (installed === undefined) return false
  const have = new Map(Object.entries(installed.packages ?? {}))
  for (const [path, wanted] of Object.entries(lock.packages ?? {})) {
    if (path === '') continue
    const found = have.get(path)
    if (found === undefined && wanted.optional !== true) return false
    if (found !== undefined && found.version !== wanted.version) return false
    have.delete(path)
  }
  return have.size === 0
}

const readJson = (path) => (existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined)

const install = () => {
  const lock = readJson(join(root, 'package-lock.json'))
  if (isInstalled(lock, readJson(join(root, 'node_modules', '.package-lock.json')))) return
  const count = Object.keys(lock.packages).length - 1
  process.stderr.write(`Setting up: installing up to ${count} packages of package-lock.json … `)
  const started = performance.now()
  const npm = process.env.npm_execpath
  const words = ['ci', '--no-audit', '--no-fund', '--loglevel=error']
  const options = { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }
  const done =
    npm === undefined
      ? spawnSync('npm', words, options)
      : spawnSync(process.execPath, [npm, ...words], options)
  if (done.status !== 0) {
    process.stderr.write('failed\n')
    fail(`${done.stdout ?? ''}${done.stderr ?? ''}${done.error?.message ?? ''}\nnpm ci failed.`)
  }
  process.stderr.write(`done in ${((performance.now() - started) / 1000).toFixed(0)} s\n`)
}

/** The runtime for tests: the pinned one where it runs, else this Node. */
const runtime = () => {
  const name = process.platform === 'win32' ? 'node.exe' : 'node'
  const pinned = join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', name)
  // It may be there and not run: on musl the loader is missing.
  if (existsSync(pinned) && spawnSync(pinned, ['--version']).status === 0) return pinned
  if (majorOf(process.version) < RUNTIME_NODE) {
    fail(
      `There is no Node from npm for this machine, and this one is ${process.version}: ` +
        `install Node ${RUNTIME_NODE} or newer. https://nodejs.org`,
    )
  }
  return process.execPath
}

const environment = () => {
  // Options meant for this process must not change the next one.
  const { NODE_OPTIONS: _, NODE_TEST_CONTEXT: __, ...rest } = process.env
  return rest
}

/** Runs a program in this one's place: signals are passed on, and its exit code is ours. */
const run = (program, words, env) => {
  const child = spawn(program, words, { cwd: root, env, stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
  // The terminal is gone; to the server a SIGHUP means something else.
  process.on('SIGHUP', () => child.kill('SIGTERM'))
  child.on('error', (error) => fail(`${program}: ${error.message}`))
  child.on('exit', (code, signal) => process.exit(signal === null ? (code ?? 1) : 1))
}

const start = (words) => {
  const flags = words.map((word) => (/^--?reset$/.test(word) ? '-dev-reset' : word))
  run(join(root, 'bin', 'signet'), ['server', '-dev-folder=.signet/dev', ...flags], environment())
}

const test = (words) => {
  const named = words.some((word) => !word.startsWith('-'))
  const files = named ? [] : ['src/**/*.test.ts', 'test/**/*.test.ts']
  const env = {
    NODE_COMPILE_CACHE: join(root, '.signet', 'compile-cache'),
    ...environment(),
  }
  const flags = ['--test', `--test-concurrency=${availableParallelism()}`]
  run(runtime(), [...flags, ...words, ...files], env)
}

const main = () => {
  const complaint = nodeComplaint(process.version)
  if (complaint !== undefined) fail(complaint)
  const [task, ...words] = process.argv.slice(2)
  const tasks = new Map([
    ['start', start],
    ['test', test],
  ])
  const chosen = tasks.get(task)
  if (chosen === undefined) fail(`usage: node scripts/setup.mjs start|test [arguments]`)
  install()
  chosen(words)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main()
