import type { Engine } from '../../engine/engine.ts'
import { invalid } from '../../engine/refusal.ts'
import { SharedAnswers } from '../../engine/shared-answers.ts'
import { limits } from '../../limits.ts'
import { dropMount } from './drop.ts'
import { v1Routes } from './v1.ts'
import { v2Routes } from './v2-routes.ts'

/** Secrets at paths: version 1 keeps the latest data, version 2 (option `version` = `2`) keeps versions. */
export const kv = (): Engine => {
  const versioned = v2Routes(new SharedAnswers(limits.cachedSecretAnswerBytes))
  return {
    type: 'kv',
    class: 'secret',
    summary: 'Secrets at paths, with or without versions',
    routes: v1Routes,
    routesFor: (mount) => (mount.options?.['version'] === '2' ? versioned : v1Routes),
    drop: dropMount,
    checkOptions: (options) => {
      const { version, leased_passthrough: leased } = options
      if (version !== undefined && version !== '1' && version !== '2') {
        throw invalid('nil backend of type "kv" returned from factory')
      }
      if (leased === 'true') {
        throw invalid('the option leased_passthrough is not supported: secrets have no leases here')
      }
    },
  }
}
