/**
 * What a line of a compliance table can rest on. `encryption`: every archive is sealed. `backups`: the newest verified
 * backup is young enough. `off-host`: every target has a verified copy, and one lies off this host. `drills`: the last
 * drill passed, in time and not long ago. `drift`: it compared the archive with what runs. `chains`: the audit chains
 * held in the newest archive. `retention`: how long archives stay. `evidence`: the log of all this is whole.
 */
export const grounds = [
  'encryption',
  'backups',
  'off-host',
  'drills',
  'drift',
  'chains',
  'retention',
  'evidence',
] as const
export type Ground = (typeof grounds)[number]

/** One line of a compliance table. */
export interface Control {
  /** `SOC 2 CC9.2`. */
  readonly control: string
  /** What it asks for, in a few words. */
  readonly asks: string
  readonly rests_on: readonly Ground[]
}

/** What an evidence report says of an application beyond its backups. */
export interface Assurance {
  /** The compliance table, unless the configuration has one. */
  readonly controls: readonly Control[]
  /** Stands below the table. */
  readonly note?: string
  /** Findings of `examine` that are about audit chains, by their check. */
  readonly chains: readonly string[]
  /** Facts by which a drill tells that the application changed since the drill before. */
  readonly drift: readonly string[]
}
