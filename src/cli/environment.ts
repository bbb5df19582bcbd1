const prefixes = ['SIGNET_', 'BAO_', 'VAULT_'] as const

/**
 * An environment variable by its name without prefix: `SIGNET_X`, then `BAO_X`, then `VAULT_X`. One
 * that is set but empty still wins over the next (spec/cli.md 2).
 */
export function environment(
  env: Readonly<Record<string, string | undefined>>,
  name: string,
): string | undefined {
  for (const prefix of prefixes) {
    const value = env[prefix + name]
    if (value !== undefined) return value
  }
  return undefined
}

const trueTexts: ReadonlySet<string> = new Set(['1', 't', 'T', 'true', 'TRUE', 'True'])
const falseTexts: ReadonlySet<string> = new Set(['0', 'f', 'F', 'false', 'FALSE', 'False'])

/** A boolean as Go's flag package reads it; undefined when it is none. */
export function parseBoolean(text: string): boolean | undefined {
  if (trueTexts.has(text)) return true
  return falseTexts.has(text) ? false : undefined
}
