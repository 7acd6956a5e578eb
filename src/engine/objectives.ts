/** What recovery is measured by, in seconds (mastio.md §11). */
export interface Objectives {
  /** How old the newest verified backup may be. */
  readonly rpo: number
  /** How long a restore may take. */
  readonly rto: number
  /** How long ago the last drill may be. */
  readonly drillEvery: number
}

export const defaultObjectives: Objectives = { rpo: 24 * 3600, rto: 15 * 60, drillEvery: 92 * 86_400 }
