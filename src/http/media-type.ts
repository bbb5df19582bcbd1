/** A Content-Type without its parameters, or why it is none. */
export type MediaType =
  | { readonly type: string; readonly error?: undefined }
  | { readonly type: ''; readonly error: string }

const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+"
const TYPE = new RegExp(`^${TOKEN}(?:/${TOKEN})?$`)
const PARAMETERS = new RegExp(
  `^(?:\\s*;\\s*${TOKEN}\\s*=\\s*(?:${TOKEN}|"(?:[^"\\\\]|\\\\.)*"))*\\s*(?:;\\s*)?$`,
)

/** Reads a Content-Type as Go's mime.ParseMediaType does, with its error texts. */
export const parseMediaType = (header: string): MediaType => {
  const semicolon = header.indexOf(';')
  const type = (semicolon === -1 ? header : header.slice(0, semicolon)).trim().toLowerCase()
  if (type === '') return { type: '', error: 'mime: no media type' }
  if (!TYPE.test(type)) {
    const slash = type.indexOf('/')
    const first = slash === -1 ? type : type.slice(0, slash)
    if (!TYPE.test(first)) return { type: '', error: 'mime: expected token after slash' }
    return {
      type: '',
      error:
        slash === type.length - 1
          ? 'mime: expected token after slash'
          : 'mime: unexpected content after media subtype',
    }
  }
  if (semicolon !== -1 && !PARAMETERS.test(header.slice(semicolon)))
    return { type: '', error: 'mime: invalid media parameter' }
  return { type }
}
