import { hostname } from 'node:os'
import { Refusal } from '../../engine/refusal.ts'
import { data } from '../../engine/result.ts'
import { route } from '../../engine/route.ts'
import { bare } from './bare.ts'
import type { SystemOptions } from './options.ts'

/** `sys/leader`, `sys/ha-status`, `sys/step-down` and `sys/replication/status`: there is one server, and nobody else leads. */
export const clusterRoutes = ({ facts }: SystemOptions) => [
  route({
    path: 'leader',
    summary: 'Tell which server leads',
    fields: {},
    whileSealed: true,
    unaudited: true,
    verbs: { read: () => bare([['ha_enabled', false]]) },
  }),
  route({
    path: 'ha-status',
    summary: 'List the servers',
    fields: {},
    copyDataToTop: true,
    verbs: {
      read: () =>
        data({
          nodes: [
            {
              hostname: hostname(),
              api_address: facts.apiAddress,
              cluster_address: '',
              active_node: true,
              last_echo: null,
              version: facts.reportedVersion,
            },
          ],
        }),
    },
  }),
  route({
    path: 'step-down',
    summary: 'Let another server lead: nothing happens, there is none; needs sudo',
    fields: {},
    sudo: true,
    whileSealed: true,
    verbs: { update: () => undefined },
  }),
  route({
    path: 'replication/status',
    summary: 'Refused as by servers without replication',
    fields: {},
    public: true,
    verbs: {
      read: () => {
        throw new Refusal('missing', 'unsupported path')
      },
    },
  }),
]
