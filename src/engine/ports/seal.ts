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
  /** A new root key under the same unseal keys. */
  rotateRootKey(): Promise<void>
  /**
   * Takes one unseal key as part of the proof that who asks has enough of them. Keys of another nonce are forgotten. `wrong`:
   * enough, but they do not open the seal, and have to be given again.
   */
  prove(operation: Proving, key: Buffer): Promise<Proof>
  /** The same for keys that were drawn and are not in use yet. */
  proveDrawn(nonce: string, drawn: string, key: Buffer): Promise<Proof>
  /** Keys given so far. */
  proofProgress(purpose: ProofPurpose, nonce: string): Promise<number>
  forgetProof(purpose: ProofPurpose): Promise<void>
  /** Draws new unseal keys; `drawn` is a secret and counts for nothing until `installShares`. */
  drawShares(options: { readonly shares: number; readonly threshold: number }): {
    readonly drawn: string
    readonly unsealKeys: readonly Buffer[]
  }
  /** Puts drawn keys in the place of the present ones. `conflict`: somebody else changed the seal; nothing happened. */
  installShares(drawn: string): Promise<'installed' | 'conflict'>
  /** Makes a root token and gives its text. */
  makeRootToken(): Promise<string>
}

/** What unseal keys are given for while unsealed. */
export type ProofPurpose = 'rotate' | 'verify' | 'generate-root'

export interface Proving {
  readonly purpose: 'rotate' | 'generate-root'
  readonly nonce: string
}

export type Proof =
  | { readonly kind: 'repeated' | 'proved' | 'wrong' }
  | { readonly kind: 'progress'; readonly progress: number }

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
