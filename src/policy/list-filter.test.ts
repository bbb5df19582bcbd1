import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FilterError } from './filter-functions.ts'
import { compileFilter, FilterSyntaxError } from './filter-template.ts'
import { checkListFilter, filterKey } from './list-filter.ts'
import { PolicyError } from './policy-error.ts'

const render = (template: string): string => filterKey(template, 'secret/metadata/', 'Key/')

test('texts, fields, pipes and functions', () => {
  const templates: readonly (readonly [string, string])[] = [
    ['{{ .path }}{{ .key }}', 'secret/metadata/Key/'],
    ['{{.path | replace "secret/metadata/" "secret/data/"}}{{.key}}', 'secret/data/Key/'],
    ['{{ replace `secret` "x" .path }}', 'x/metadata/'],
    ['{{ .key | lowercase | print "a" }}', 'akey/'],
    ['{{ uppercase (print .key "b") }}', 'KEY/B'],
    ['{{ truncate 2 .key }}', 'Ke'],
    ['{{ base64 .key }}', 'S2V5Lw=='],
    ['{{ truncate_sha256 10 "0123456789" }}', '0123456789'],
    ['{{ .nope }}', '<no value>'],
    ['a {{- /* c */ -}} b{{/* d */}} c', 'ab c'],
    ['a {{- .key -}} b', 'aKey/b'],
    ['{{ if eq .key "Key/" "x" }}yes{{ else }}no{{ end }}', 'yes'],
    ['{{ if .nope }}a{{ else if ne .key "x" }}b{{ else }}c{{ end }}', 'b'],
    ['{{ if and .key (not .nope) }}a{{ end }}{{ or .nope "d" }}', 'ad'],
    ['{{ 12 }} {{ true }}', '12 true'],
    ['{ } }} "', '{ } }} "'],
  ]
  for (const [template, wanted] of templates) assert.equal(render(template), wanted, template)
})

test('what is no template is refused with the line', () => {
  const texts: readonly (readonly [string, string])[] = [
    ['{{', 'template: template:1: unclosed action'],
    ['a\nb{{ .key', 'template: template:2: unclosed action'],
    ['{{}}', 'template: template:1: missing value for command'],
    ['{{ nope .key }}', 'template: template:1: function "nope" not defined'],
    ['{{ .key | }}', 'template: template:1: missing value for command'],
    ['{{ "a }}', 'template: template:1: unterminated quoted string'],
    ['{{ (print .key }}', 'template: template:1: unclosed left paren'],
    ['{{ print .key) }}', 'template: template:1: unexpected right paren'],
    ['{{ if .key }}', 'template: template:1: unexpected EOF'],
    ['{{ end }}', 'template: template:1: unexpected {{end}}'],
    ['{{/* }}', 'template: template:1: unclosed comment'],
    ['{{ uuid }}', 'template: template:1: function "uuid" not defined'],
  ]
  for (const [template, message] of texts)
    assert.throws(() => compileFilter(template), { name: 'FilterSyntaxError', message })
})

test('a filter must tell two keys apart', () => {
  const refused = (template: string, message: RegExp): void =>
    assert.throws(
      () => checkListFilter(template),
      (error) => error instanceof PolicyError && message.test(error.message),
    )
  checkListFilter('{{ .key }}')
  refused(
    '{{ .path }}',
    /^list_scan_response_keys_filter_path resulted in same path for two different keys$/,
  )
  refused(
    '{{',
    /^unable to compile template for list_scan_response_keys_filter_path: unable to parse/,
  )
  refused('{{ .key }}{{ truncate "x" .key }}', /^unable to render template/)
})

test('no text throws anything but its two errors', () => {
  const scraps =
    '{{| }}|{{-|-}}|.key|.path|.|"a"|`b`|(|)|| |if |else|end|print |replace |1|/*|*/|eq |\n|\\|"'.split(
      '|',
    )
  const soup = fc
    .array(fc.constantFrom(...scraps, '|'), { maxLength: 25 })
    .map((parts) => parts.join(''))
  const check = (template: string): void => {
    try {
      compileFilter(template)({ path: 'a/', key: 'b' })
    } catch (error) {
      assert.ok(error instanceof FilterSyntaxError || error instanceof FilterError, String(error))
    }
  }
  fc.assert(fc.property(soup, check), { numRuns: 3000 })
  check(`{{ ${'('.repeat(100_000)}`)
  check('{{ if .key }}'.repeat(10_000))
})
