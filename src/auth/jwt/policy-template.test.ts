import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkPolicyTemplates, renderPolicies } from './policy-template.ts'

const claims = { team: 'red', dept: { name: 'eng', level: 3 }, 'odd name': { x: 'y' }, on: true }

const render = (template: string): string | undefined => renderPolicies([template], claims)[0]

describe('a policy template', () => {
  it('fills claims in', () => {
    assert.equal(render('plain'), 'plain')
    assert.equal(render('a-{{.team}}-{{ .dept.name }}'), 'a-red-eng')
    assert.equal(render('{{ .dept.level }}{{ .on }}'), '3true')
    assert.equal(render('{{ index . "odd name" "x" }}'), 'y')
    assert.equal(render('a  {{- " " }}'.replace('" "', '.team')), 'ared')
    assert.equal(render('{{ .team -}}  b'), 'redb')
  })

  it('never reads a claim as a template', () => {
    assert.deepEqual(renderPolicies(['{{ .team }}'], { team: '{{ .x }}' }), ['{{ .x }}'])
  })

  it('fails for a claim that is missing, also on the prototype', () => {
    for (const template of [
      '{{ .nope }}',
      '{{ .dept.nope }}',
      '{{ .toString }}',
      '{{ .team.x }}',
    ]) {
      assert.throws(() => render(template), /map has no entry for key/)
    }
  })

  it('is refused when it says more than which claim', () => {
    for (const template of [
      '{{ if .a }}x{{ end }}',
      '{{ .a | upper }}',
      '{{ range .a }}',
      '{{ }}',
      '{{ . }}',
      '{{ .a',
      '{{ index .a "b" }}',
      '{{ index . "\\z" }}',
    ]) {
      assert.throws(() => checkPolicyTemplates([template]), /policy template/, template)
    }
  })
})
