/** A configuration that cannot be used; the message says which file and what is wrong there. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}
