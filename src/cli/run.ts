import type { Call, Command } from './command.ts'
import { warn } from './command.ts'
import { commandTable } from './command-table.ts'
import type { CommandEntry } from './command-table.ts'
import { CommandFailure, localFailure } from './failure.ts'
import { parseArguments } from './flags.ts'
import type { ParsedArguments } from './flags.ts'
import { formatOf, globalFlags } from './globals.ts'
import type { Format } from './globals.ts'
import type { CommandIo } from './io.ts'

/** What a shell expects of a command that is none (spec/cli.md 3). */
const NO_SUCH_COMMAND = 127

/** Runs the command that the words name; its exit code. Only a fault of Signet itself is thrown. */
export const runCommandLine = async (words: readonly string[], io: CommandIo): Promise<number> => {
  const asked = words.length === 1 ? words[0] : undefined
  if (asked !== undefined && /^--?(?:v|version)$/.test(asked)) {
    return await runCommandLine(['version'], io)
  }
  const found = findCommand(words)
  if (found.entry === undefined) return await showUsage(found, io)
  try {
    const command = await found.entry.load()
    return await runCommand(found.entry.name, command, found.rest, io)
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error
    if (error.message !== '') warn(io, error.message)
    return error.exitCode
  }
}

type Found = {
  readonly entry: CommandEntry | undefined
  /** The words up to the command's last one. */
  readonly name: readonly string[]
  readonly rest: readonly string[]
}

// The longest name that the words begin with; global flags may stand before and between.
const findCommand = (words: readonly string[]): Found => {
  const flags: string[] = []
  let name: string[] = []
  let best: Found | undefined
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? ''
    if (word.startsWith('-')) {
      if (word === '--' || best !== undefined) break
      flags.push(word)
      if (takesNextWord(word)) flags.push(words[++at] ?? '')
      continue
    }
    name = [...name, word]
    const text = name.join(' ')
    const entry = commandTable.find((each) => each.name === text)
    if (entry !== undefined) best = { entry, name, rest: [...flags, ...words.slice(at + 1)] }
    else if (!commandTable.some((each) => each.name.startsWith(`${text} `))) break
  }
  return best ?? { entry: undefined, name, rest: flags }
}

const takesNextWord = (word: string): boolean => {
  const name = word.replace(/^--?/, '')
  const flag = globalFlags.find((each) => each.name === name)
  return flag !== undefined && flag.kind !== 'boolean'
}

const showUsage = async (found: Found, io: CommandIo): Promise<number> => {
  const { groupUsage } = await import('./usage.ts')
  const group = found.name.join(' ')
  const known = group === '' || commandTable.some((each) => each.name.startsWith(`${group} `))
  if (!known) {
    warn(io, `signet: there is no command ${JSON.stringify(group)}\n`)
    warn(io, groupUsage(found.name.slice(0, -1).join(' ')))
    return NO_SUCH_COMMAND
  }
  const asked = found.rest.some((word) => /^--?(?:h|help)$/.test(word))
  const write = asked ? io.stdout : io.stderr
  write.write(`${groupUsage(group)}\n`)
  return asked ? 0 : NO_SUCH_COMMAND
}

const runCommand = async (
  name: string,
  command: Command,
  words: readonly string[],
  io: CommandIo,
): Promise<number> => {
  const parsed = parseArguments(words, globalFlags, command.flags, io.env, command.flagsAnywhere)
  if (parsed.help) {
    const { commandUsage } = await import('./usage.ts')
    io.stdout.write(`${commandUsage(name, command)}\n`)
    return 0
  }
  const format = formatFor(command, parsed)
  warnOfUnparsed(parsed, format, io)
  checkCount(parsed.args.length, command.args)
  const { flags, args } = parsed
  if (!flags.boolean('output-curl-string') && !flags.boolean('output-policy')) {
    return await command.run(callOf(parsed, format, io))
  }
  const { ShownInstead, showing } = await import('./show-request.ts')
  try {
    const quiet = { ...io, stdout: { isTTY: false, write: () => undefined } }
    await command.run({ ...callOf(parsed, format, quiet, showing(flags)), args })
  } catch (error) {
    if (!(error instanceof ShownInstead)) throw error
    io.stdout.write(`${error.message}\n`)
    return 0
  }
  const what = flags.boolean('output-curl-string') ? 'cURL string' : 'policy'
  throw localFailure(`Unable to generate ${what} from command`)
}

const callOf = (
  parsed: ParsedArguments,
  format: Format,
  io: CommandIo,
  intercept?: Parameters<typeof import('./connect.ts').connect>[2],
): Call => {
  const { flags, args } = parsed
  const silent: Partial<CommandIo> = flags.boolean('non-interactive')
    ? { readStdin: async () => '', promptHidden: async () => undefined }
    : {}
  const callIo = { ...io, ...silent }
  let client: ReturnType<Call['client']> | undefined
  return {
    flags,
    args,
    format,
    io: callIo,
    client: () =>
      (client ??= import('./connect.ts').then(({ connect }) => connect(flags, callIo, intercept))),
  }
}

const formatFor = (command: Command, parsed: ParsedArguments): Format => {
  const format = formatOf(parsed.flags)
  if (format === 'raw' && command.raw !== true) {
    throw localFailure(
      'This command does not support the -format=raw option; only `vault read` does.',
    )
  }
  // Only the state of autopilot is ever pretty, and there is no autopilot here.
  if (format === 'pretty') throw localFailure('Invalid output format: pretty')
  return format
}

const warnOfUnparsed = (parsed: ParsedArguments, format: Format, io: CommandIo): void => {
  if (parsed.unparsed.length === 0 || format !== 'table') return
  warn(
    io,
    'Command flags must be provided before positional arguments. The following arguments ' +
      `will not be parsed as flags: [${parsed.unparsed.join(' ')}]`,
  )
}

const checkCount = (got: number, wanted: Command['args']): void => {
  if (got < wanted.min) {
    throw localFailure(`Not enough arguments (expected ${wanted.min}, got ${got})`)
  }
  if (wanted.max !== undefined && got > wanted.max) {
    throw localFailure(`Too many arguments (expected ${wanted.max}, got ${got})`)
  }
}
