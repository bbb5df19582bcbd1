/** Where Signet's own sources are. */
const SOURCES = new URL('.', import.meta.url).href

/** The URL that `specifier` (`./a.ts`, `../b/c.ts`) means in the file of the URL `from`. */
export const fileOf = (specifier: string, from: string): string => {
  let folder = from.slice(0, from.lastIndexOf('/'))
  let at = specifier.startsWith('./') ? 2 : 0
  while (specifier.startsWith('../', at)) {
    folder = folder.slice(0, folder.lastIndexOf('/'))
    at += 3
  }
  return `${folder}/${specifier.slice(at)}`
}

/**
 * From now on imports between the sources of Signet are resolved by their text alone: each names its file. Node looks at the file system
 * for every one of the 3,500, which takes 100 ms of each start. For an entry file, which then takes in the rest by `import()`.
 */
export const resolveOwnImports = (): void => {
  // An import statement would read all that the module exports, and load what that needs.
  process.getBuiltinModule('node:module').registerHooks({
    resolve: (specifier, context, next) => {
      const from = context.parentURL
      const own = from?.startsWith(SOURCES) === true && specifier.startsWith('.')
      return own && specifier.endsWith('.ts')
        ? { url: fileOf(specifier, from), format: 'module-typescript', shortCircuit: true }
        : next(specifier, context)
    },
  })
}
