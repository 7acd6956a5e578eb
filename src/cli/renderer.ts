import type { Event } from '../engine/events.ts'
import type { Report } from '../engine/report.ts'
import type { IndexEntry } from '../member.ts'
import type { Style } from './style.ts'

/** How one verb's report looks to people, and when it asks for their attention. */
export interface Face<Result> {
  readonly verb: string
  /** The result as text of at most 80 columns, without a last line end; `''` for none. */
  text(result: Result, view: View): string
  /** Whether a run that ended well found something that wants a look: exit code 1. */
  attention?(result: Result): boolean
  /** `product`: the text is what was asked for, so `--quiet` leaves it; `data`: standard output carries bytes, no text. */
  readonly stdout?: 'product' | 'data'
}

/** What a face may use beside the result. */
export interface View {
  readonly report: Report<unknown>
  readonly style: Style
  readonly now: Date
}

/** A reader of what a run says: text for people, NDJSON for programs. */
export interface Renderer {
  readonly event: (event: Event) => void
  /** One line of an archive's index, as it is read; the next may come once this returns. */
  readonly member: (entry: IndexEntry) => void | Promise<void>
  /** Takes away what moves, before another writes to the terminal. */
  readonly pause: () => void
  /** The last call. `fault` is what was thrown, where it was no report. */
  end<Result>(report: Report<Result>, face: Face<Result>, fault?: unknown): void
}
