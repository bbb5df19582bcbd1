const SLASH = 0x2f

/**
 * A path without the slashes at its beginning and end. Visits each once: a regular expression would begin anew at every slash of
 * a long run in the middle.
 */
export const trimSlashes = (path: string): string => {
  let from = 0
  let to = path.length
  while (from < to && path.charCodeAt(from) === SLASH) from++
  while (to > from && path.charCodeAt(to - 1) === SLASH) to--
  return path.slice(from, to)
}
