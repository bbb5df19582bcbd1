import type { Command } from './command.ts'
import { commandTable } from './command-table.ts'
import { flagsHelp } from './flags.ts'
import { globalFlags } from './globals.ts'
import { columns } from './table.ts'
import { wrapText } from './wrap-text.ts'

/** What `signet`, or `signet GROUP`, alone shows: the commands that go on from there. */
export const groupUsage = (group: string): string => {
  const prefix = group === '' ? '' : `${group} `
  const words = new Map<string, string>()
  for (const { name, synopsis } of commandTable) {
    if (!name.startsWith(prefix)) continue
    const [word = '', ...more] = name.slice(prefix.length).split(' ')
    if (more.length === 0) words.set(word, synopsis)
    else if (!words.has(word)) words.set(word, groupSynopsis(`${prefix}${word}`))
  }
  const rows = [...words].sort(([a], [b]) => (a < b ? -1 : 1))
  return [
    `Usage: signet ${prefix}<command> [flags] [args]`,
    '',
    columns(rows.map(([word, synopsis]) => [`    ${word}`, synopsis])),
    '',
    `signet ${prefix}<command> -h says more of one.`,
  ].join('\n')
}

const groupSynopsis = (group: string): string => {
  const names = commandTable
    .filter((each) => each.name.startsWith(`${group} `))
    .map((each) => each.name.slice(group.length + 1).split(' ')[0] ?? '')
  return [...new Set(names)].join(', ')
}

/** What `-h` shows of a command. */
export const commandUsage = (name: string, command: Command): string =>
  [
    `Usage: signet ${name} ${command.usage}`,
    '',
    wrapText(command.help),
    ...(command.flags.length === 0 ? [] : ['', 'Flags:', '', flagsHelp(command.flags).trimEnd()]),
    '',
    'Flags of every command:',
    '',
    flagsHelp(globalFlags).trimEnd(),
  ].join('\n')
