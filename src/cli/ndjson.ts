import type { IndexEntry } from '../member.ts'
import type { Printer } from './printer.ts'
import type { Renderer } from './renderer.ts'

/**
 * One JSON object per line: events with the `type` they have, index lines as `member`, and as the last line the report
 * with the type `report`.
 */
export function ndjson(out: Printer): Renderer {
  const line = (value: object): void => out.print(`${JSON.stringify(value)}\n`)
  return {
    event: line,
    member(entry) {
      line({ type: 'member', member: indexLine(entry) })
      return out.room()
    },
    pause: () => undefined,
    end: (report) => line({ type: 'report', ...report }),
  }
}

/** A member as its index line has it (archive-v1 §4). */
function indexLine({ mode, mtimeMs, ...rest }: IndexEntry): object {
  return { ...rest, mode: mode.toString(8).padStart(4, '0'), mtime: new Date(mtimeMs).toISOString() }
}
