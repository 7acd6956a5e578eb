/** One source or target as configured: `options` is what its driver's schema made of the rest, paths absolute. */
export interface ConfiguredPlug {
  readonly name: string
  readonly kind: string
  readonly options: Readonly<Record<string, unknown>>
  /** Of a target: nothing is written to it while it lies on a disk of the application. */
  readonly requireOffHost?: true
}

/** How archives are sealed. Each given way opens them: a passphrase file, recipients, or both. */
export interface SealConfig {
  /** Absolute. The file itself is read and judged where the passphrase is needed, never here. */
  readonly passphraseFile: string | undefined
  readonly recipients: readonly string[]
  readonly compression: 'zstd' | 'none'
}

/** How many archives to keep of each kind; absent keeps none for that reason. At least one is above 0. */
export interface RetentionConfig {
  readonly keep_last?: number
  readonly keep_daily?: number
  readonly keep_weekly?: number
  readonly keep_monthly?: number
  readonly keep_yearly?: number
  /** Seconds. */
  readonly keep_within?: number
  readonly keep_newest_verified?: number
  readonly keep_at_most?: number
  readonly after_backup?: boolean
}

/** What recovery is measured by, in seconds. */
export interface ObjectivesConfig {
  readonly rpo: number
  readonly rto: number
  readonly drillEvery: number
}

/** One line of a compliance table. */
export interface ControlConfig {
  readonly control: string
  readonly asks: string
  readonly rests_on: readonly string[]
}

/** `sealift.yaml` and the environment as one value: complete, validated, deeply frozen. It holds no secret. */
export interface Config {
  /** The file it was read from; relative paths in it were resolved against its folder. */
  readonly path: string
  readonly app: string
  readonly profile: string
  readonly stateDir: string
  readonly sources: readonly ConfiguredPlug[]
  readonly targets: readonly ConfiguredPlug[]
  readonly seal: SealConfig
  /** Absent where the file has no `retention`: then nothing is pruned. */
  readonly retention: RetentionConfig | undefined
  readonly objectives: ObjectivesConfig
  /** Absolute; absent where the file names none. */
  readonly statusFile: string | undefined
  /** Absent where the profile's table counts. */
  readonly controls: readonly ControlConfig[] | undefined
}

/** One mistake in a configuration: where, what, and what to write instead. */
export interface Problem {
  readonly line?: number
  readonly what: string
  readonly fix?: string
}
