import type { Verdict } from '../profiles/examination.ts'
import type { Retention } from './context.ts'
import type { ArchiveSummary } from './report.ts'

/** An archive at one target, and what is known of it beyond what can be read there without a key. */
export interface Subject {
  readonly archive: ArchiveSummary
  /** What the profile's examination came to; absent where that is not known. */
  readonly verdict?: Verdict
  /** The value of the fact whose every value keeps its last archive; `null` for none, absent where it is not known. */
  readonly lineage?: string | null
}

/** What archives are judged by. */
export interface Terms {
  readonly policy: Retention
  readonly now: Date
  /** Whether the profile examines: then an archive counts as good only by its verdict. */
  readonly examined: boolean
  /** The fact whose every value keeps its last archive, if the profile names one. */
  readonly lineage?: string
}
