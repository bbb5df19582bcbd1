import type { Model, Operation } from './history.ts'

/** A secret of KV v2: every write adds a version, and `cas` is the one that must be the latest. */
export type SecretIn =
  | { readonly do: 'read' }
  | { readonly do: 'write'; readonly value: string; readonly cas?: number }
export type SecretOut =
  | { readonly version: number; readonly value?: string }
  | { readonly refused: true }
export interface SecretState {
  readonly version: number
  readonly value: string
}

export const secretModel: Model<SecretState, SecretIn, SecretOut> = {
  initial: { version: 0, value: '' },
  apply: (state, input) => {
    if (input.do === 'read') {
      return [state, state.version === 0 ? { version: 0 } : { ...state }]
    }
    if (input.cas !== undefined && input.cas !== state.version) return [state, { refused: true }]
    const version = state.version + 1
    return [{ version, value: input.value }, { version }]
  },
  reads: (input) => input.do === 'read',
  key: ({ version, value }) => `${version} ${value}`,
}

/** Some entities and the names they take from each other: no two have the same. */
export type NamesIn =
  | { readonly do: 'rename'; readonly entity: number; readonly name: string }
  | { readonly do: 'name-of'; readonly entity: number }
  | { readonly do: 'holder-of'; readonly name: string }
export type NamesOut =
  | { readonly renamed: boolean }
  | { readonly name: string }
  | { readonly entity: number | null }

/** The name of each entity. */
export type NamesState = readonly string[]

/** `initial`: the names the entities begin with. */
export const namesModel = (initial: NamesState): Model<NamesState, NamesIn, NamesOut> => ({
  initial,
  apply: (state, input) => {
    switch (input.do) {
      case 'name-of':
        return [state, { name: state[input.entity]! }]
      case 'holder-of': {
        const entity = state.indexOf(input.name)
        return [state, { entity: entity < 0 ? null : entity }]
      }
      case 'rename': {
        const holder = state.indexOf(input.name)
        if (holder >= 0 && holder !== input.entity) return [state, { renamed: false }]
        return [state.with(input.entity, input.name), { renamed: true }]
      }
    }
  },
  reads: (input) => input.do !== 'rename',
  key: (state) => state.join(' '),
})

/** A group and some entities, each seen from both sides. */
export type MembersIn =
  | { readonly do: 'add' | 'remove' | 'set'; readonly entities: readonly number[] }
  | { readonly do: 'members' }
  | { readonly do: 'is-member'; readonly entity: number }
export type MembersOut =
  | { readonly done: true }
  | { readonly members: readonly number[] }
  | { readonly member: boolean }

/** The members, ascending. */
export type MembersState = readonly number[]

const ascending = (entities: Iterable<number>): readonly number[] =>
  [...new Set(entities)].sort((a, b) => a - b)

export const membersModel: Model<MembersState, MembersIn, MembersOut> = {
  initial: [],
  apply: (state, input) => {
    switch (input.do) {
      case 'add':
        return [ascending([...state, ...input.entities]), { done: true }]
      case 'remove':
        return [state.filter((entity) => !input.entities.includes(entity)), { done: true }]
      case 'set':
        return [ascending(input.entities), { done: true }]
      case 'members':
        return [state, { members: state }]
      case 'is-member':
        return [state, { member: state.includes(input.entity) }]
    }
  },
  reads: (input) => input.do === 'members' || input.do === 'is-member',
  key: (state) => state.join(' '),
}

/** A token of a chosen text: made once, ended once. */
export type TokenIn = { readonly do: 'create' | 'use' | 'revoke' }
export type TokenOut =
  | { readonly made: boolean }
  | { readonly alive: boolean }
  | { readonly done: true }
export type TokenState = 'none' | 'alive' | 'ended'

export const tokenModel: Model<TokenState, TokenIn, TokenOut> = {
  initial: 'none',
  apply: (state, input) => {
    switch (input.do) {
      case 'create':
        // The text of an ended token is free again: its subject makes it once only.
        return state === 'alive' ? [state, { made: false }] : ['alive', { made: true }]
      case 'use':
        return [state, { alive: state === 'alive' }]
      case 'revoke':
        return [state === 'alive' ? 'ended' : state, { done: true }]
    }
  },
  reads: (input) => input.do === 'use',
  key: (state) => state,
}

/** What one person may do, by all that decides it: their entity, a group, its policy, and the tokens they hold. */
export type AccessIn =
  | { readonly do: 'disable' | 'enable' | 'remove' | 'add' | 'forbid' | 'allow' }
  | { readonly do: 'revoke'; readonly token: number }
  /** `at`: where it is asked; changes nothing in the model. */
  | {
      readonly do: 'use'
      readonly token: number
      readonly how: 'read' | 'write'
      readonly at?: number
    }
export type AccessOut = { readonly done: true } | { readonly allowed: boolean }
export interface AccessState {
  readonly disabled: boolean
  readonly member: boolean
  readonly allows: boolean
  /** Tokens that were revoked, ascending. */
  readonly revoked: readonly number[]
}

export const accessModel: Model<AccessState, AccessIn, AccessOut> = {
  initial: { disabled: false, member: true, allows: true, revoked: [] },
  apply: (state, input) => {
    const done = { done: true } as const
    switch (input.do) {
      case 'disable':
      case 'enable':
        return [{ ...state, disabled: input.do === 'disable' }, done]
      case 'remove':
      case 'add':
        return [{ ...state, member: input.do === 'add' }, done]
      case 'forbid':
      case 'allow':
        return [{ ...state, allows: input.do === 'allow' }, done]
      case 'revoke':
        return [{ ...state, revoked: ascending([...state.revoked, input.token]) }, done]
      case 'use': {
        const { disabled, member, allows, revoked } = state
        return [state, { allowed: !disabled && member && allows && !revoked.includes(input.token) }]
      }
    }
  },
  reads: (input) => input.do === 'use',
  key: ({ disabled, member, allows, revoked }) =>
    `${disabled} ${member} ${allows} ${revoked.join(' ')}`,
}

/** Logins of one who was never seen before: the first makes the entity, all others find it. */
export type LoginIn = { readonly do: 'login' } | { readonly do: 'find' }
export type LoginOut = { readonly entity: string | null }

/**
 * Who it became, which no login can know beforehand: the model answers with the ones that were seen, so it is made of the
 * history itself. `entities`: all ids that any answer named.
 */
export const loginModel = (entities: readonly string[]): Model<string, LoginIn, LoginOut> => ({
  initial: '',
  apply: (state, input) => {
    if (input.do === 'find') return [state, { entity: state === '' ? null : state }]
    // More than one id in the answers is a violation, whichever comes first.
    const entity = state === '' ? (entities[0] ?? 'lost') : state
    return [entity, { entity }]
  },
  reads: (input) => input.do === 'find',
  key: (state) => state,
})

/** Logins of one person, whose answers show the policy they were given last (or one of their groups was); none while disabled. */
export type DoorIn =
  | {
      readonly do: 'login'
      /** Which of the places is asked; absent: any. */
      readonly at?: number
    }
  | { readonly do: 'show'; readonly value: string }
  | { readonly do: 'close' | 'open' }
export type DoorOut = { readonly done: true } | { readonly shown: string | null }
export interface DoorState {
  readonly closed: boolean
  readonly shown: string
}

/**
 * The history without policies that were given, without an answer, and never shown: had one been, until the next, nobody logged in
 * meanwhile, so all is explained without it as well.
 */
export const shownHistory = (
  history: readonly Operation<DoorIn, DoorOut>[],
): readonly Operation<DoorIn, DoorOut>[] => {
  const shown = new Set(
    history.flatMap(({ output }) =>
      output !== undefined && 'shown' in output ? output.shown : [],
    ),
  )
  return history.filter(
    ({ input, output }) => output !== undefined || input.do !== 'show' || shown.has(input.value),
  )
}

export const doorModel: Model<DoorState, DoorIn, DoorOut> = {
  initial: { closed: false, shown: '' },
  apply: (state, input) => {
    switch (input.do) {
      case 'login':
        return [state, { shown: state.closed ? null : state.shown }]
      case 'show':
        return [{ ...state, shown: input.value }, { done: true }]
      case 'close':
      case 'open':
        return [{ ...state, closed: input.do === 'close' }, { done: true }]
    }
  },
  reads: (input) => input.do === 'login',
  key: ({ closed, shown }) => `${closed} ${shown}`,
}
