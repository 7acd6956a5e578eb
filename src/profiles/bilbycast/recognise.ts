import { DUMP_MAGIC } from './dump-file.ts'
import { EXPORT_MAGIC } from './export-file.ts'
import type { Format } from './failures.ts'

/** Which of the application's formats the first eight bytes of a file say; never its suffix. */
export function formatOf(start: Buffer): Format | undefined {
  const magic = start.subarray(0, EXPORT_MAGIC.length)
  if (magic.equals(EXPORT_MAGIC)) return 'BCBKv2'
  return magic.equals(DUMP_MAGIC) ? 'BCBKMGR1' : undefined
}
