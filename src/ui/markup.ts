/** Text that is HTML already: made by `markup` alone, so that nothing gets into a page unescaped. */
export class Markup {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  toString(): string {
    return this.#text
  }
}

/** What may stand in a template: texts are escaped, lists are joined, undefined and false are left out. */
export type MarkupValue = string | number | Markup | undefined | false | readonly MarkupValue[]

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Controls but for blanks: HTML has no place for them. */
const FORBIDDEN = /[^\P{Cc}\t\n\r]/gu

/** A text as HTML, for content and for values of attributes between quotes. */
export const escapeText = (text: string): string =>
  text
    .toWellFormed()
    .replace(FORBIDDEN, '�')
    .replace(/[&<>"']/g, (sign) => ENTITIES[sign] as string)

const textOf = (value: MarkupValue): string => {
  if (value === undefined || value === false) return ''
  if (value instanceof Markup) return value.toString()
  if (typeof value === 'string') return escapeText(value)
  return typeof value === 'number' ? String(value) : value.map(textOf).join('')
}

/** HTML with values put in, escaped. Values of attributes stand between double quotes in the template. */
export const markup = (parts: TemplateStringsArray, ...values: readonly MarkupValue[]): Markup => {
  let text = parts[0] ?? ''
  for (const [index, value] of values.entries()) text += textOf(value) + (parts[index + 1] ?? '')
  return new Markup(text)
}
