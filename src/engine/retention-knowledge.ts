import { openFile } from '../archive/index.ts'
import type { OpenKey } from '../archive/index.ts'
import { isSealiftError } from '../errors.ts'
import type { Facts, Manifest } from '../manifest.ts'
import type { Verdict } from '../profiles/examination.ts'
import type { StoredReader, Target } from '../targets/target.ts'
import type { Application, Context } from './context.ts'
import { foreignFacts } from './foreign-facts.ts'
import { convertFound, formatOf } from './foreign-open.ts'
import type { ArchiveSummary } from './report.ts'
import type { Subject } from './retention-terms.ts'
import type { Run } from './run.ts'
import { remember } from './run.ts'
import { rfc3339 } from './time.ts'
import { scratchOf } from './workplace.ts'

/** What an archive's own manifest says of the application: the facts and verdict of the examination before its seal. */
export interface Known {
  readonly facts: Facts
  readonly verdict?: Verdict
}

/** The examination that a manifest carries; `undefined` where the profile examined nothing. */
export function knownFrom({ sources }: Manifest): Known | undefined {
  const facts = sources.find((source) => source.facts['verdict'] !== undefined)?.facts
  if (facts === undefined) return undefined
  const { verdict } = facts
  return verdict === 'ok' || verdict === 'attention' || verdict === 'fail' ? { facts, verdict } : { facts }
}

/** An archive with what the catalogue knows of it. */
export function subjectOf(ctx: Context, { profile }: Application, archive: ArchiveSummary): Subject {
  const { verdict, facts } = ctx.catalog.archive(archive.id) ?? {}
  return {
    archive,
    ...(verdict === undefined ? {} : { verdict }),
    ...lineageIn(facts, profile.lineage),
  }
}

/** A fact that is not there is not known: an examination that ended early has not come to it. */
function lineageIn(facts: Facts = {}, name = ''): Pick<Subject, 'lineage'> {
  const value = facts[name]
  if (value === undefined) return {}
  return { lineage: typeof value === 'string' || typeof value === 'number' ? String(value) : null }
}

/**
 * Reads what the catalogue does not know from the archive's own manifest, and records it. False where the keys do not
 * open it or it cannot be read: then it stays unknown.
 */
export async function learn(
  ctx: Context,
  run: Run,
  application: Application,
  target: Target,
  archive: ArchiveSummary,
  keys: readonly OpenKey[],
): Promise<boolean> {
  const { name } = archive
  try {
    await using reader = await target.open(name, ctx.signal)
    const known =
      archive.format === undefined
        ? knownFrom(await (await openFile(reader, keys, { signal: ctx.signal, name })).manifest())
        : await examined(ctx, { application, reader, name }, keys)
    if (known === undefined) return false
    recordKnown(ctx, run, application.app, archive, known)
    return true
  } catch (error) {
    ctx.signal.throwIfAborted()
    if (isSealiftError(error)) return false
    throw error
  }
}

/** What the profile finds in an archive of another program. The caller holds the application's lock. */
async function examined(
  ctx: Context,
  {
    application,
    ...found
  }: { readonly application: Application; readonly reader: StoredReader; readonly name: string },
  keys: readonly OpenKey[],
): Promise<Known | undefined> {
  const format = await formatOf(ctx, found.reader, found.name)
  if (format === undefined) return undefined
  await using converted = await convertFound(ctx, { application }, found, format, keys)
  const { reader, key } = converted
  return await foreignFacts(ctx, { reader, key, name: found.name }, scratchOf(ctx, application.app))
}

/** Puts what was learnt of an archive into the catalogue. */
export function recordKnown(
  ctx: Context,
  run: Run,
  app: string,
  archive: ArchiveSummary,
  known: Known,
): void {
  const { id, target, name, created_at, size } = archive
  remember(run, () => {
    const before = ctx.catalog.archive(id)
    const written_at = before?.target === target ? before.written_at : rfc3339(ctx.now())
    ctx.catalog.recordArchive({ archive_id: id, app, target, name, created_at, size, written_at, ...known })
  })
}
