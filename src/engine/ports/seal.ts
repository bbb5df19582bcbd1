/** What `sys/seal-status` and `sys/unseal` tell. */
export interface SealStatus {
  readonly initialized: boolean
  readonly sealed: boolean
  readonly threshold: number
  readonly shares: number
  /** Unseal keys given so far. */
  readonly progress: number
  /** Of the unsealing under way; '' when none is. */
  readonly nonce: string
  /** Known when unsealed. */
  readonly clusterName: string | undefined
  readonly clusterId: string | undefined
}

/** What initialisation gives out once. */
export interface InitOutcome {
  readonly unsealKeys: readonly Buffer[]
  readonly rootToken: string
}

/** Initialisation and seal as `sys/` uses them; works while sealed. */
export interface SealPort {
  status(): Promise<SealStatus>
  /** `already` when somebody was first. Throws RangeError for impossible numbers. */
  initialise(options: {
    readonly shares: number
    readonly threshold: number
  }): Promise<InitOutcome | 'already'>
  /**
   * Takes one share. `bad-share`: of a length that cannot be one; `failed`: enough shares, but they do not open the seal
   * (progress begins anew). `uninitialised` before initialisation.
   */
  giveShare(
    share: Buffer,
  ): Promise<'progress' | 'unsealed' | 'bad-share' | 'failed' | 'uninitialised'>
  /** Forgets the shares given so far. */
  resetShares(): Promise<void>
  seal(): Promise<void>
  /** The active encryption term and when it was installed (ms). */
  keyStatus(): Promise<{
    readonly term: number
    readonly installedAt: number
    readonly encryptions: number
  }>
  /** Adds a term; gives it. */
  rotate(): Promise<number>
}

/** Facts of this server. */
export interface ServerFacts {
  /** Signet's own version, e.g. `0.1.0`. */
  readonly version: string
  /** What clients gate on: `2.6.2+signet.0.1.0`. */
  readonly reportedVersion: string
  readonly buildDate: string
  readonly storageType: string
  readonly apiAddress: string
  readonly defaultLeaseTtlSeconds: number
  readonly maxLeaseTtlSeconds: number
  readonly allowApiAuditCreation: boolean
  readonly introspectionEndpoint: boolean
}
