import type { Ask } from '../drive.ts'
import { requestText } from '../drive.ts'
import { idOf, loginName, spreadName, SPREAD_ENTITY, tokenName } from './dataset.ts'
import type { Site } from './site.ts'
import type { Draw } from './zipf.ts'

/** One kind of request that is measured again and again. */
export interface Operation {
  readonly name: string
  readonly title: string
  /** Keys are drawn by `draw`, of so many things; without keys to draw it is measured once. */
  readonly ask: (site: Site, draw: (things: number) => Draw) => Ask
  readonly hasKeys: boolean
}

/** Names that no run has used before. */
const run = Date.now().toString(36)
let made = 0

/** One of the tokens that ask, in turn. */
const asker = ({ askers }: Site, count: number): string => askers[count % askers.length]!

const anyEntity = (site: Site, draw: (things: number) => Draw): (() => string) => {
  const next = draw(site.sizes.entities)
  return () => idOf('entity', next())
}

/** Any group but the large one. */
const anyGroup = (site: Site, draw: (things: number) => Draw): (() => string) => {
  const next = draw(site.sizes.groups - 1)
  return () => idOf('group', 1 + next())
}

/** Ids behind which there is a whole page: an empty one is a 404. */
const notLast = (next: () => string) => (): string => {
  for (;;) {
    const id = next()
    if (id < 'f0') return id
  }
}

const LARGE_GROUP = idOf('group', 0)

export const operations: readonly Operation[] = [
  {
    name: 'login',
    title: 'login (JWT)',
    hasKeys: true,
    ask: (site, draw) => {
      const next = draw(site.sizes.entities)
      return () =>
        requestText('POST', 'auth/jwt/login', undefined, {
          role: 'people',
          jwt: site.jwtOf(loginName(next())),
        })
    },
  },
  {
    name: 'create',
    title: 'entity creation',
    hasKeys: false,
    ask: (site) => (count) =>
      requestText('POST', 'identity/entity', asker(site, count), { name: `new-${run}-${++made}` }),
  },
  {
    name: 'update',
    title: 'entity update',
    hasKeys: true,
    ask: (site, draw) => {
      const id = anyEntity(site, draw)
      return (count) =>
        requestText('POST', `identity/entity/id/${id()}`, asker(site, count), {
          metadata: { team: `team-${++made}`, office: 'Utrecht', cost_center: '4711' },
        })
    },
  },
  {
    name: 'add-member',
    title: 'add one member',
    hasKeys: true,
    ask: (site, draw) => {
      const group = anyGroup(site, draw)
      const entity = anyEntity(site, draw)
      return (count) =>
        requestText('POST', `identity/group-member/id/${group()}`, asker(site, count), {
          entity_ids: [entity()],
        })
    },
  },
  {
    name: 'add-member-large',
    title: 'add one member to the large group',
    hasKeys: false,
    ask: (site) => {
      // Those who are in it already are below `largeGroup`; the others come in turn, from run to run at another place.
      const { entities, largeGroup } = site.sizes
      let next = largeGroup + Math.floor(Math.random() * (entities - largeGroup))
      return (count) => {
        next = next + 1 < entities ? next + 1 : largeGroup
        return requestText('POST', `identity/group-member/id/${LARGE_GROUP}`, asker(site, count), {
          entity_ids: [idOf('entity', next)],
        })
      }
    },
  },
  {
    name: 'read',
    title: 'entity read by id',
    hasKeys: true,
    ask: (site, draw) => {
      const id = anyEntity(site, draw)
      return (count) => requestText('GET', `identity/entity/id/${id()}`, asker(site, count))
    },
  },
  {
    name: 'read-own',
    title: 'own entity read by one of all tokens',
    hasKeys: true,
    ask: (site, draw) => {
      const next = draw(Math.min(site.sizes.tokens, site.sizes.entities))
      return () => {
        const i = next()
        return requestText('GET', `identity/entity/id/${idOf('entity', i)}`, tokenName(i))
      }
    },
  },
  {
    name: 'read-group',
    title: 'group read by id',
    hasKeys: true,
    ask: (site, draw) => {
      const id = anyGroup(site, draw)
      return (count) => requestText('GET', `identity/group/id/${id()}`, asker(site, count))
    },
  },
  {
    name: 'lookup',
    title: 'lookup by alias',
    hasKeys: true,
    ask: (site, draw) => {
      const next = draw(site.sizes.entities)
      return (count) =>
        requestText('POST', 'identity/lookup/entity', asker(site, count), {
          alias_name: loginName(next()),
          alias_mount_accessor: site.accessors.jwt,
        })
    },
  },
  {
    name: 'page',
    title: 'page of 100 entities',
    hasKeys: true,
    ask: (site, draw) => {
      const id = notLast(anyEntity(site, draw))
      return (count) =>
        requestText('LIST', `identity/entity/id?limit=100&after=${id()}`, asker(site, count))
    },
  },
  {
    name: 'page-members',
    title: 'page of 100 members of the large group',
    hasKeys: true,
    ask: (site, draw) => {
      const next = draw(site.sizes.largeGroup)
      const id = notLast(() => idOf('entity', next()))
      return (count) =>
        requestText(
          'LIST',
          `identity/group-member/id/${LARGE_GROUP}?limit=100&after=${id()}`,
          asker(site, count),
        )
    },
  },
  {
    name: 'many-aliases',
    title: 'read of an alias of an entity with very many',
    hasKeys: true,
    ask: (site, draw) => {
      const next = draw(site.sizes.aliases)
      return (count) =>
        requestText(
          'GET',
          `identity/entity-alias/id/${idOf('spread', 1 + next())}`,
          asker(site, count),
        )
    },
  },
  {
    name: 'many-aliases-lookup',
    title: 'lookup of an entity with very many aliases',
    hasKeys: false,
    ask: (site) => (count) =>
      requestText('POST', 'identity/lookup/entity', asker(site, count), {
        alias_name: spreadName(0),
        alias_mount_accessor: site.accessors.spread,
      }),
  },
  {
    name: 'many-aliases-read',
    title: 'read of an entity with very many aliases',
    hasKeys: false,
    ask: (site) => (count) =>
      requestText('GET', `identity/entity/id/${SPREAD_ENTITY}`, asker(site, count)),
  },
]
