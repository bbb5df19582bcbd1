import {
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Child } from './child.ts'
import { compare } from './scale/compare.ts'
import type { Sizes } from './scale/dataset.ts'
import { sizesOf } from './scale/dataset.ts'
import type { Issuer } from './scale/load.ts'
import { issuerOf, load } from './scale/load.ts'
import { printDisabling, printIdle, printLists, printRevocation } from './scale/once.ts'
import { operations } from './scale/operations.ts'
import { printMemories, printReady } from './scale/processes.ts'
import { print } from './figures.ts'
import { printHead, printRow } from './scale/report.ts'
import type { Site } from './scale/site.ts'
import { siteOf } from './scale/site.ts'

const PARTS = ['ready', 'requests', 'lists', 'revocation', 'disabling', 'memory']

const USAGE = `usage: node bench/scale.ts [options] [part or operation …]

What many entities cost against few: two servers with the same data in two sizes, each request measured on both in turn.

  --few 10000         entities of the small server; all else in proportion
  --many 1000000      entities of the large one
  --aliases 10000     aliases of the entity that has very many, at a million entities
  --filled 1          part of the groups that get members: five groups an entity take most of the loading
  --rounds 7          rounds of each measurement, whose medians are printed
  --requests 300      requests of one client in a round; 64 clients send ten times as many
  --from FOLDER       takes loaded data from here, and loads what is missing there; it is kept as it is: a copy is measured
  --load              only loads
  --profile FOLDER    writes a CPU profile of the large server for each operation

Parts: ${PARTS.join(', ')}. Operations: ${operations.map(({ name }) => name).join(', ')}. None: everything.`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    few: { type: 'string', default: '10000' },
    many: { type: 'string', default: '1000000' },
    aliases: { type: 'string', default: '10000' },
    filled: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '7' },
    requests: { type: 'string', default: '300' },
    from: { type: 'string' },
    load: { type: 'boolean' },
    profile: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  },
})

const rounds = Number(values.rounds)
const requests = Number(values.requests)

/** Data of one size, in a folder. */
interface Loaded {
  readonly folder: string
  readonly sizes: Sizes
  readonly issuer: Issuer
}

const asks = (part: string): boolean => positionals.length === 0 || positionals.includes(part)

/** The data of a size: loaded before, or now. */
const loaded = async (root: string, entities: number): Promise<Loaded> => {
  const folder = join(root, String(entities))
  const done = join(folder, 'loaded.json')
  if (existsSync(done)) {
    const sizes = JSON.parse(readFileSync(done, 'utf8')) as Sizes
    return { folder, sizes, issuer: issuerOf(folder) }
  }
  // What a broken run left is of no use.
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const sizes = sizesOf(entities, Number(values.aliases), Number(values.filled))
  const issuer = issuerOf(folder)
  print(`loading ${JSON.stringify(sizes)} into ${folder}`)
  const server = await Child.start('signet-child.ts', [folder])
  await load(server.port, sizes, issuer, print)
  await server.stop()
  rmSync(join(folder, 'signet', 'audit.log'), { force: true })
  writeFileSync(done, JSON.stringify(sizes))
  return { folder, sizes, issuer }
}

/**
 * Loaded data to be measured with: what is measured writes to it, and a second run would find other data, above all those that Zipf's law
 * favours in hundreds of groups.
 */
const copied = (data: Loaded, root: string): Loaded => {
  const folder = join(root, String(data.sizes.entities))
  cpSync(data.folder, folder, { recursive: true, mode: constants.COPYFILE_FICLONE })
  return { ...data, folder }
}

const open = async ({ folder, sizes, issuer }: Loaded): Promise<Site> =>
  siteOf(await Child.start('signet-child.ts', [folder]), sizes, issuer)

/** Everything that is measured in rounds, on both servers in turn. */
const printRequests = async (few: Site, many: Site): Promise<void> => {
  const chosen = operations.filter(({ name }) => asks('requests') || asks(name))
  if (chosen.length === 0) return
  printHead(few.sizes.entities, many.sizes.entities)
  for (const operation of chosen) {
    const file =
      values.profile === undefined
        ? undefined
        : join(values.profile, `${operation.name}.cpuprofile`)
    await many.server.profiled(file, async () => {
      for await (const row of compare(operation, few, many, { rounds, requests })) printRow(row)
    })
  }
}

const main = async (): Promise<void> => {
  if (values.help === true) {
    print(USAGE)
    return
  }
  const root = values.from ?? mkdtempSync(join(tmpdir(), 'signet-scale-'))
  const kept = [await loaded(root, Number(values.few)), await loaded(root, Number(values.many))]
  if (values.load === true) return
  const scratch = values.from === undefined ? root : mkdtempSync(join(root, 'measured-'))
  const [few, many] = (
    values.from === undefined ? kept : kept.map((data) => copied(data, scratch))
  ) as [Loaded, Loaded]
  if (asks('ready')) await printReady(few, many, rounds)
  const sites = [await open(few), await open(many)] as const
  if (asks('memory')) for (const site of sites) await printIdle(site)
  await printRequests(...sites)
  for (const site of sites) {
    if (asks('lists')) await printLists(site)
    if (asks('revocation')) await printRevocation(site)
    if (asks('disabling')) await printDisabling(site, site === sites[0] ? few.issuer : many.issuer)
  }
  for (const { server } of sites) await server.stop()
  if (asks('memory')) {
    for (const [index, { folder, sizes }] of [few, many].entries()) {
      await printMemories({ folder, sizes }, sites[index]!, 100 * requests)
    }
  }
  rmSync(scratch, { recursive: true, force: true })
}

await main()
