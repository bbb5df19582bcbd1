/** What `sys/health?detail` tells besides the seal's state; works while unsealed. */
export interface HealthPort {
  /** Records that did not open since this process began, by the prefix of their keys. */
  broken(): readonly { readonly kind: string; readonly count: number }[]
  /** The audit devices: how many, which of them fail, and whether the last entry was taken by none. */
  audit(): {
    readonly devices: number
    readonly failing: readonly string[]
    readonly allFail: boolean
  }
  /** Whether this is the text of a live token. Spends no use of it. */
  isToken(text: string): Promise<boolean>
}
