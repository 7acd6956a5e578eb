import { openFile } from '../archive/index.ts'
import type { OpenKey } from '../archive/index.ts'
import { isSealiftError } from '../errors.ts'
import type { Facts, Manifest } from '../manifest.ts'
import type { Verdict } from '../profiles/examination.ts'
import type { Target } from '../targets/target.ts'
import type { Application, Context } from './context.ts'
import type { ArchiveSummary } from './report.ts'
import type { Subject } from './retention-terms.ts'
import type { Run } from './run.ts'
import { remember } from './run.ts'
import { rfc3339 } from './time.ts'

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
    ...(facts === undefined ? {} : { lineage: lineageIn(facts, profile.lineage) }),
  }
}

function lineageIn(facts: Facts, name: string | undefined): string | null {
  const value = name === undefined ? undefined : facts[name]
  return typeof value === 'string' || typeof value === 'number' ? String(value) : null
}

/**
 * Reads what the catalogue does not know from the archive's own manifest, and records it. False where the keys do not
 * open it or it cannot be read: then it stays unknown.
 */
export async function learn(
  ctx: Context,
  run: Run,
  { app }: Application,
  target: Target,
  archive: ArchiveSummary,
  keys: readonly OpenKey[],
): Promise<boolean> {
  if (archive.format !== undefined) return false
  try {
    await using reader = await target.open(archive.name, ctx.signal)
    const file = await openFile(reader, keys, { signal: ctx.signal, name: archive.name })
    const known = knownFrom(await file.manifest())
    if (known === undefined) return false
    recordKnown(ctx, run, app, archive, known)
    return true
  } catch (error) {
    ctx.signal.throwIfAborted()
    if (isSealiftError(error)) return false
    throw error
  }
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
