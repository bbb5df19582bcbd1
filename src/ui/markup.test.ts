import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { escapeText, markup } from './markup.ts'

/** What a browser reads of escaped text. */
const read = (text: string): string =>
  text.replace(
    /&(amp|lt|gt|quot|#39);/g,
    (_, name: string) => ({ amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" })[name] as string,
  )

const hostile = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(fc.constantFrom('<', '>', '"', "'", '&', '`', '=', '</script>', '\0', '\ud800', 'x'))
    .map((parts) => parts.join('')),
)

describe('markup', () => {
  it('lets no text out of its place', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const shown = markup`<p title="${text}">${text}</p>`.toString()
        const [, title = '', content = ''] =
          /^<p title="([^"<>]*)">([^<>"]*)<\/p>$/s.exec(shown) ?? []
        assert.equal(title, content)
        assert.doesNotMatch(content, /&(?!(?:amp|lt|gt|quot|#39);)|[^\P{Cc}\t\n\r]|\p{Cs}/u)
        const kept = text.toWellFormed().replace(/[^\P{Cc}\t\n\r]/gu, '\ufffd')
        assert.equal(read(content), kept)
      }),
    )
  })

  it('joins lists, leaves nothing out but undefined and false, and escapes only once', () => {
    const item = markup`<b>${'a&b'}</b>`
    assert.equal(
      markup`${[item, item]}${undefined}${false}${0}`.toString(),
      `${String(item)}${String(item)}0`,
    )
    assert.equal(escapeText('&amp;'), '&amp;amp;')
  })
})
