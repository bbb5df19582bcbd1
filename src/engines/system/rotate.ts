import { data } from '../../engine/result.ts'
import { route } from '../../engine/route.ts'
import type { SystemOptions } from './options.ts'
import { timeText } from './time-text.ts'

const rotateRoute = ({ seal }: SystemOptions, path: string) =>
  route({
    path,
    summary: 'Encrypt what is written from now on with a new key; needs sudo',
    fields: {},
    sudo: true,
    copyDataToTop: true,
    verbs: {
      update: async () => {
        await seal.rotate()
        return undefined
      },
    },
  })

/** `sys/rotate`, `sys/rotate/keyring` and `sys/key-status`: the keys that data is encrypted with. */
export const rotateRoutes = (options: SystemOptions) => [
  rotateRoute(options, 'rotate'),
  rotateRoute(options, 'rotate/keyring'),
  route({
    path: 'key-status',
    summary: 'Tell which key encrypts what is written',
    fields: {},
    copyDataToTop: true,
    verbs: {
      read: async () => {
        const { term, installedAt, encryptions } = await options.seal.keyStatus()
        return data({ term, install_time: timeText(installedAt), encryptions })
      },
    },
  }),
]
