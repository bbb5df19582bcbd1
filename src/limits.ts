/** Every bound of the server in one place, each with its reason. Units are in the names. */
export const limits = {
  /** Keys in one read: keeps a burst on the event loop under a millisecond. */
  storeReadKeys: 512,
  /** How long a request waits for the store before it answers 503. */
  storeWaitMs: 10_000,
  /** LMDB's free list stays short only with small transactions (measured: 200). */
  commitWrites: 200,
  /** Keys and values of a commit: the store takes 1 MiB, and each of 200 values grows by its seal. */
  commitBytes: 1_035_000,
  /** A read set past this is a design fault: validate a stamp instead (architecture.md B1). */
  commitChecks: 512,
  /** Conflicts are settled by a queue in each process after the first; 64 races lost against other processes mean a hot key. */
  commitAttempts: 64,
  /** Records that a commit of long work writes, in the background or for a large request: others wait for it, but each takes a flush. */
  longWorkWrites: 64,
  /** How long each commit of long work lets transactions of others go first: 12 s for the 3,125 commits of 100,000 members, at worst. */
  othersFirstMs: 4,
  /** How long it pauses besides while others commit: p99 of one other client 5 to 8 ms, not 6 to 14; the list of 100,000 takes 16 s, not 8. */
  othersPauseMs: 2,
  /** A page of a list: bounds the time a reader pins LMDB pages. */
  listPageEntries: 256,
  /** Keys in a page of an identity list: a page is one answer, and one line of the audit log. */
  pageKeys: 1_000,
  /** Members that a list of all members of a group may change: some seconds of small commits. */
  listedMembers: 200_000,
  /** Members that one request adds to a group or removes from it. */
  membersAtOnce: 1_000,
  /** Lines of an import that are sorted together and noted in one record. */
  importPortion: 2_000,
  /** Times a request is decided anew because its caller changed while it ran. */
  decisionAttempts: 8,
  /** Ancestors of a token (architecture.md B2). */
  tokenDepth: 256,
  /** Text of a batch token: half of what the headers of a request can hold. */
  batchTokenBytes: 32_768,
  /** A token role as JSON: several fit in a commit of 1 MiB. */
  tokenRoleBytes: 131_072,
  /** Groups an entity can be in, inherited ones included (architecture.md E9). */
  groupsPerEntity: 2_000,
  /** Aliases of an entity: a read of it shows them all, and is an answer of some 6 MB then. */
  aliasesPerEntity: 10_000,
  /** Aliases listed in the entity's own record, which every request of its tokens reads and every change of an alias writes. */
  aliasesInRecord: 32,
  /** Callers kept in memory, per process: some thousand (architecture.md E10). */
  cachedCallerBytes: 10_485_760,
  /** Decoded records kept in memory, per process (architecture.md E10). */
  cachedRecordBytes: 10_485_760,
  /** Records remembered of those that were read once, per process: four times as many as are kept; a power of two. */
  recordsSeen: 32_768,
  /** Outcomes of logins kept in memory, per process: some thousand. */
  rememberedOutcomeBytes: 4_194_304,
  /** A larger record is not kept: large secrets would push out everything else. */
  cachedRecordBytesEach: 262_144,
  /** Answers of entities kept with their texts in memory, per process: 2 to 6 kB each. */
  cachedEntityAnswerBytes: 4_194_304,
  /** The same of secrets. */
  cachedSecretAnswerBytes: 4_194_304,
  /** Compiled sets of policies kept in memory, per process, those with templates and those without; some hundred of each. */
  cachedPolicySetBytes: 4_194_304,
  /** Before data is exchanged by a restore, how long requests under way have to end: the others wait. */
  restoreEndMs: 5_000,
  /** How long a request waits while data is exchanged: as long as those before it have, and some for the exchange. */
  restoreWaitMs: 15_000,
  /** How long a worker may take to let go of the data, or to take it up: then it is killed, and another takes its place. */
  restoreStepMs: 30_000,
  /** How long a worker may take to open the data, during which the others do not write, and they to stop writing: as long as a disk may stand. */
  openStepMs: 30_000,
  /** How long a stop waits for requests under way. */
  drainMs: 10_000,
  /** The same for a worker whose supervisor died: another may be waiting for its port. */
  orphanDrainMs: 1_000,
  /** A worker that has not given a sign for this long is replaced (architecture.md C1). */
  workerSilenceMs: 5_000,
  /** Until its first sign: a busy machine may take long to load its code, and it holds nothing yet. */
  workerStartMs: 30_000,
  /** System defaults of token and lease TTLs, in seconds (768h), as the reference has them. */
  defaultLeaseTtlSeconds: 2_764_800,
  maxLeaseTtlSeconds: 2_764_800,
  /** A signed token that someone logs in with: ten times what identity providers send. */
  jwtBytes: 262_144,
  /** How long a request to an identity provider may take, redirects included. */
  outboundTimeoutMs: 10_000,
  /** Body of an answer of an identity provider: keys and discovery documents are a few kB. */
  outboundBodyBytes: 1_048_576,
  /** Redirects followed on the way to an identity provider's document. */
  outboundRedirects: 5,
  /** Fetched keys are used without asking again: a key taken back is refused after this at the latest. */
  fetchedKeysFreshMs: 600_000,
  /** Fetched keys are still used this long while their source does not answer. */
  fetchedKeysStaleMs: 3_600_000,
  /** Text of a policy: what thousands of paths need; bounds how long its parsing holds the event loop. */
  policyBytes: 262_144,
  /** Pause after a fetch that brought no fitting key: tokens with made-up key ids must not turn us on the provider. */
  fetchedKeysPauseMs: 10_000,
  /** Mounts whose fetched or parsed keys are kept in memory, per process. */
  cachedKeySources: 1_000,
  /** Passwords hashed at once, per process, never more than cores: each has a thread of its own, which takes some memory. */
  passwordsAtOnce: 3,
  /** Logins that wait for a thread, about eight seconds' worth on two cores; more are answered 503. */
  passwordsWaiting: 256,
  /** Elements of a list that is sent as one text with commas: 32 MB of commas would make many times that of texts. */
  listItems: 200_000,
  /** Paths whose capabilities one request asks for: any token may ask. */
  capabilityPaths: 10_000,
  /** Names in a list that is sorted by name and not paged (architecture.md E11). */
  sortedNames: 100_000,
  /** A path of a secret: a name of 10 kB fits several times; bounds what a list must hold. */
  pathBytes: 32_768,
  /** Segments of a path of a secret: making or deleting one writes a record for each of its folders. */
  pathDepth: 100,
  /** Data of a secret as JSON: leaves room for names and versions in a commit of 1 MiB. */
  secretBytes: 786_432,
  /** A response to be wrapped, as JSON text in JSON: what a commit of 1 MiB holds beside its token. */
  wrappedBytes: 1_000_000,
  /** Versions that one KV v2 secret keeps: their times are one record (some 100 kB), rewritten with each version. */
  secretVersions: 2_000,
  /** Purged versions whose data one write removes: with the folders of a path they fit in a commit. */
  secretPurges: 64,
  /** A key, role, client, assignment, scope or provider of OIDC as JSON: several fit in a commit of 1 MiB. */
  oidcObjectBytes: 131_072,
  /** Assignments of a client and scopes of a provider: each added or dropped one is a write of the same commit. */
  oidcReferences: 64,
  /** Public keys that one named key still publishes; rotation by time never comes near. */
  oidcRetiredKeys: 128,
  /** An authorization request as it is kept with its code: redirect URI, nonce, scopes, challenge. */
  oidcCodeBytes: 16_384,
  /** How long an authorization code can be used (identity.md 5.10). */
  oidcCodeMs: 300_000,
  /** A refresh token that was just used gives the same successor again this long: its answer may have been lost. */
  oidcRefreshGraceMs: 10_000,
  /** How long a device waits to be let in (RFC 8628), and an entity's wrong guesses count. */
  oidcDeviceMs: 900_000,
  /** Wrong user codes an entity may try in that time, of 25.6 billion there are. */
  oidcDeviceGuesses: 5,
  /** Seconds between two polls of a device; each poll that comes sooner adds as many. */
  oidcDevicePollSeconds: 5,
  /** A `state` to be given back after a logout: it stands in the URL that the browser is sent to. */
  oidcStateBytes: 4_096,
  /** Signing keys kept ready for use, per process. */
  cachedSigningKeys: 1_000,
  /** How long a login waits for its second factor (identity.md 6.4). */
  mfaPendingMs: 300_000,
  /** An MFA method as JSON. */
  mfaObjectBytes: 65_536,
  /** All login enforcements as JSON: every login reads them, about 6,000 ids. */
  mfaEnforcementBytes: 262_144,
  /** Methods, groups and entities that one write of a login enforcement names: each is a check of its commit. */
  mfaEnforcementIds: 400,
  /** TOTP secrets of an entity: deleting it takes each with its guesses. */
  totpSecretsPerEntity: 64,
  /** Bytes of a TOTP secret: the block of the longest hash. */
  totpKeyBytes: 128,
  /** Width of a QR code: larger ones hold up the event loop and show no more. */
  totpImagePixels: 2_048,
  /** The issuer's name stands in the QR code twice: longer ones do not fit. */
  totpIssuerBytes: 256,
  /** How long somebody may take to answer a push. */
  pushWaitMs: 60_000,
  /** Pause between two looks at whether a push was answered. */
  pushPauseMs: 1_000,
  /** A sign-in session that nobody uses, and one in all, unless the configuration says otherwise. */
  uiSessionIdleSeconds: 28_800,
  uiSessionMaxSeconds: 86_400,
  /** Headers set for pages, and bytes of one with its values: they go out with each page. */
  uiHeaders: 64,
  uiHeaderBytes: 4_096,
  /** Allowed origins and allowed headers of CORS, and bytes of each: looked through for each request of a page. */
  corsEntries: 256,
  corsEntryBytes: 512,
  /** Versions that `sys/version-history` remembers: the newest. */
  versionsRemembered: 500,
  /** Names in a list of password policies. */
  passwordPolicies: 10_000,
  /** Keys of broken records remembered, per process, so that each is logged once. */
  brokenRemembered: 10_000,
  /** Rules for the rate of requests: they are part of the server's settings, one record that every process keeps. */
  quotaRules: 1_000,
  /** Paths that no such rule counts: looked through for each request. */
  quotaExemptPaths: 256,
  /** How often at most a session's last use is written down; it ends that much early. */
  uiSessionTouchMs: 60_000,
  /** How long a form that was shown can be sent. */
  uiFormMs: 3_600_000,
  /** What a form sends: an authorization request of the longest head there is, and a password. */
  uiFormBytes: 131_072,
  /** A name or password that somebody signs in with. */
  uiFieldBytes: 4_096,
} as const
