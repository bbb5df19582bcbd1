import { readFile, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigError } from './config-error.ts'
import type { ConfigOverrides } from './parse-config.ts'
import { mergeConfig, parseConfigPart } from './parse-config.ts'
import type { ServerConfig } from './server-config.ts'

/**
 * The configuration of files and folders together; of a folder its `*.hcl` and `*.json` files in alphabetical order.
 * Throws a ConfigError.
 */
export const loadConfig = async (
  paths: readonly string[],
  overrides: ConfigOverrides = {},
): Promise<ServerConfig> => {
  if (paths.length === 0) {
    throw new ConfigError('Must specify at least one config path using -config')
  }
  const files = (await Promise.all(paths.map(filesOf))).flat()
  if (files.length === 0) {
    throw new ConfigError(
      'No configuration files found. Please provide configurations with the -config flag. ' +
        'If you are providing a folder, its files must end in .hcl or .json.',
    )
  }
  const texts = await Promise.all(files.map((file) => reading(file, () => readFile(file, 'utf8'))))
  const parts = texts.map((text, at) => parseConfigPart(text, files[at] ?? ''))
  return mergeConfig(parts, overrides)
}

const filesOf = async (path: string): Promise<string[]> => {
  if (!(await reading(path, () => stat(path))).isDirectory()) return [path]
  const names = await reading(path, () => readdir(path))
  return names
    .filter((name) => /\.(?:hcl|json)$/.test(name) && !name.startsWith('.'))
    .sort()
    .map((name) => join(path, name))
}

const reading = async <T>(path: string, read: () => Promise<T>): Promise<T> => {
  try {
    return await read()
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new ConfigError(`error loading configuration from ${path}: ${why}`)
  }
}
