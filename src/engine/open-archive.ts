import type { ArchiveHeader, OpenKey } from '../archive/index.ts'
import { findArchive } from './archive-ref.ts'
import type { Context } from './context.ts'
import { convertFound, formatOf } from './foreign-open.ts'
import type { Home } from './foreign-open.ts'
import type { ArchiveInput, FoundArchive } from './found-archive.ts'
import { summaryOf } from './inventory.ts'
import type { ArchiveSummary } from './report.ts'
import { rfc3339 } from './time.ts'

export interface OpenInput extends ArchiveInput, Home {
  readonly keys: () => Promise<readonly OpenKey[]>
}

/** A found archive, and what opens it. */
export interface OpenArchive extends FoundArchive {
  readonly keys: readonly OpenKey[]
}

/**
 * Finds an archive and asks for its keys. One of another program is read whole and becomes an ordinary archive on the
 * way, for as long as this is open: whoever asked sees no difference. Errors of `findArchive`, of the format (a wrong
 * passphrase is told at once), MEMBER_REFUSED, FOREIGN_REFUSED.
 */
export async function openArchive(ctx: Context, input: OpenInput): Promise<OpenArchive> {
  await using stack = new AsyncDisposableStack()
  const found = stack.use(await findArchive(ctx, input))
  const format = await formatOf(ctx, found.reader, found.name)
  const keys = await input.keys()
  if (format === undefined) return { ...found, keys, ...disposal(stack.move()) }
  const { reader, key, takenAt } = stack.use(await convertFound(ctx, input, found, format, keys))
  const foreign = { format: format.name, takenAt }
  return { ...found, reader, keys: [key], foreign, ...disposal(stack.move()) }
}

function disposal(stack: AsyncDisposableStack): AsyncDisposable {
  return { [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

/** An archive as reports name it: by its own size and time, whatever it is read as. */
export function summaryOfFound(
  ctx: Context,
  { targetName, name, size, foreign }: FoundArchive,
  header: Pick<ArchiveHeader, 'id' | 'createdAt'>,
): ArchiveSummary {
  if (foreign === undefined) return summaryOf(ctx, targetName, { name, size }, header)
  const { format, takenAt } = foreign
  const shown = { name, size, format }
  return summaryOf(ctx, targetName, shown, { id: header.id, createdAt: rfc3339(takenAt) })
}
