import type { Handler, Route, Verb } from '../../engine/route.ts'
import type { SharedAnswers } from '../../engine/shared-answers.ts'
import { route } from '../../engine/route.ts'
import { readConfigRoute, writeConfigRoute } from './v2-config.ts'
import { readDataRoute, readSubkeysRoute } from './v2-data-read.ts'
import { deleteDataRoute, patchDataRoute, writeDataRoute } from './v2-data-write.ts'
import {
  configFields,
  dataFields,
  listFields,
  metadataFields,
  subkeysFields,
  versionsFields,
} from './v2-fields.ts'
import { existing } from './v2-find.ts'
import {
  listDetailedRoute,
  listMetadataRoute,
  scanDetailedRoute,
  scanMetadataRoute,
} from './v2-list.ts'
import { deleteMetadataRoute } from './v2-metadata-delete.ts'
import { readMetadataRoute } from './v2-metadata-read.ts'
import { patchMetadataRoute, writeMetadataRoute } from './v2-metadata-write.ts'
import { deleteVersionsRoute, destroyVersionsRoute, undeleteVersionsRoute } from './v2-versions.ts'
import { bareWord, wrongPath } from './v2-wrong-paths.ts'

const singly = (handler: Handler): Partial<Record<Verb, Handler>> => ({
  read: handler,
  update: handler,
  patch: handler,
  delete: handler,
})

const bare = (path: string, handler: Handler): Route =>
  route({ path, summary: 'Needs a path', fields: {}, free: true, verbs: singly(handler) })

/** Words that take a path after them, sent without one; with a slash they are the routes below with an empty path. */
const bareRoutes: readonly Route[] = [
  ...['data', 'delete', 'destroy', 'metadata', 'undelete'].map((path) => bare(path, bareWord)),
  ...['detailed-metadata', 'subkeys'].map((path) => bare(path, wrongPath)),
]

/** The routes of a version 2 mount (spec/secrets.md 3); `answers` is theirs alone. */
export const v2Routes = (answers: SharedAnswers): readonly Route[] => [
  ...bareRoutes,
  route({
    path: 'config',
    summary: 'Read and change what holds for all secrets of the mount',
    fields: configFields,
    verbs: { read: readConfigRoute, update: writeConfigRoute },
  }),
  route({
    path: 'data/*path?',
    summary: 'Read, write, patch and delete versions of a secret',
    fields: dataFields,
    exists: existing,
    verbs: {
      read: readDataRoute(answers),
      update: writeDataRoute,
      patch: patchDataRoute,
      delete: deleteDataRoute,
    },
  }),
  route({
    path: 'delete/*path?',
    summary: 'Delete versions of a secret; they can be undeleted',
    fields: versionsFields,
    verbs: { update: deleteVersionsRoute },
  }),
  route({
    path: 'undelete/*path?',
    summary: 'Undelete versions of a secret',
    fields: versionsFields,
    verbs: { update: undeleteVersionsRoute },
  }),
  route({
    path: 'destroy/*path?',
    summary: 'Remove the data of versions of a secret for good',
    fields: versionsFields,
    verbs: { update: destroyVersionsRoute },
  }),
  route({
    path: 'subkeys/*path?',
    summary: 'Read the names in a secret without their values',
    fields: subkeysFields,
    verbs: { read: readSubkeysRoute },
  }),
  route({
    path: 'metadata/*path?',
    summary: 'Read, write, patch, delete and list secrets without their data',
    fields: metadataFields,
    exists: existing,
    verbs: {
      read: readMetadataRoute,
      update: writeMetadataRoute,
      patch: patchMetadataRoute,
      delete: deleteMetadataRoute,
      list: listMetadataRoute,
      scan: scanMetadataRoute,
    },
  }),
  route({
    path: 'detailed-metadata/*path?',
    summary: 'List secrets with their metadata',
    fields: listFields,
    verbs: { list: listDetailedRoute, scan: scanDetailedRoute },
  }),
  route({
    path: '*path?',
    summary: 'Paths that a version 2 mount does not serve',
    fields: {},
    free: true,
    verbs: { ...singly(wrongPath), list: wrongPath, scan: wrongPath },
  }),
]
