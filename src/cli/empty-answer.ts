/** What an answer without content means at some paths of the API: `text` for people, '' or more. */
const meanings: readonly { readonly path: RegExp; readonly text: string }[] = [
  {
    path: /^identity\/(?:entity|entity-alias)(?:\/(?:id|name))?$/,
    text: '\nNo entities yet: the first login through an auth method makes one.',
  },
  {
    path: /^identity\/(?:group|group-alias)(?:\/(?:id|name))?$/,
    text: '\nNo groups yet: signet group create NAME makes one.',
  },
]

/** What to add to `No value found at …`; mostly ''. */
export const emptyHint = (path: string): string =>
  meanings.find((each) => each.path.test(path))?.text ?? ''

/** What a write without an answer failed to find; undefined where it simply succeeded. */
export const lookupMiss = (path: string): string | undefined =>
  /^identity\/lookup\/(entity|group)$/.exec(path)?.[1]
