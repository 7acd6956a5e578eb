import { inspectHeader } from '../archive/index.ts'
import type { StoredObject, Target } from '../targets/target.ts'
import { SealiftError } from '../errors.ts'
import type { Application, Context } from './context.ts'
import { foreignId, foreignNamed } from './foreign-name.ts'
import type { NamedForeign } from './foreign-name.ts'
import { newestFirst } from './newest-first.ts'
import type { ArchiveSummary, ListResult } from './report.ts'
import { reported } from './run.ts'
import { rfc3339 } from './time.ts'

/**
 * What the targets of an application hold, newest first. The storage is the truth: names, sizes, ids and times are
 * read there; only "when was it verified" comes from the catalogue. With an application, archives of others in the same place
 * are left out. A foreign archive (of `gpg`) counts where its name is one of the application's own. A file that is no readable archive is listed apart, and so is a target that does not answer: one
 * that is down must not hide the others. When none answers, the first one's error is thrown.
 */
export async function readInventory(
  ctx: Context,
  targets: readonly Target[],
  application?: Pick<Application, 'app' | 'profile'>,
): Promise<ListResult> {
  const archives: ArchiveSummary[] = []
  const unreadable: { name: string; target: string; error: ReturnType<typeof reported> }[] = []
  const failures: { target: string; error: unknown }[] = []
  for (const target of targets) {
    try {
      for await (const object of target.list(ctx.signal)) {
        const foreign = foreignNamed(ctx, object.name, application?.profile)
        if (foreign === undefined && !isOwn(object.name, application?.app)) continue
        try {
          archives.push(await summarise(ctx, target, object, foreign))
        } catch (error) {
          ctx.signal.throwIfAborted()
          unreadable.push({ name: object.name, target: target.name, error: reported(error) })
        }
      }
    } catch (error) {
      ctx.signal.throwIfAborted()
      failures.push({ target: target.name, error })
    }
  }
  const [failure] = failures
  if (failure !== undefined && failures.length === targets.length) throw failure.error
  archives.sort(newestFirst)
  const unavailable = failures.map(({ target, error }) => ({ target, error: reported(error) }))
  return { archives, unreadable, unavailable }
}

function isOwn(name: string, app: string | undefined): boolean {
  return app === undefined ? name.endsWith('.sealift') : isNamedFor(name, app)
}

/** `<app>-<time>.sealift` or `<app>-<time>-<n>.sealift`: what a backup of this application is called. */
export function isNamedFor(name: string, app: string): boolean {
  return appOf(name) === app
}

/** Whose archive this is by its name, `undefined` for a name that no backup gives. */
export function appOf(name: string): string | undefined {
  return /^([a-z0-9][a-z0-9-]*)-\d{8}T\d{6}Z(-\d+)?\.sealift$/.exec(name)?.[1]
}

async function summarise(
  ctx: Context,
  target: Target,
  object: StoredObject,
  foreign: NamedForeign | undefined,
): Promise<ArchiveSummary> {
  await using reader = await target.open(object.name, ctx.signal)
  if (foreign !== undefined) {
    const { format, takenAt } = foreign
    if (!format.recognises(await reader.read(0, 16)))
      throw new SealiftError('NOT_AN_ARCHIVE', { name: object.name })
    const header = { id: foreignId(object.name), createdAt: rfc3339(takenAt) }
    return summaryOf(ctx, target.name, { ...object, format: format.name }, header)
  }
  const header = await inspectHeader(reader, { name: object.name })
  return summaryOf(ctx, target.name, object, header)
}

/** One archive as reports name it. */
export function summaryOf(
  ctx: Context,
  target: string,
  object: { readonly name: string; readonly size: number; readonly format?: string },
  header: { readonly id: string; readonly createdAt: string },
): ArchiveSummary {
  const verified = ctx.catalog.verified(header.id, target)
  return {
    name: object.name,
    target,
    id: header.id,
    created_at: header.createdAt,
    size: object.size,
    ...(object.format === undefined ? {} : { format: object.format }),
    verified_at: verified === undefined ? null : rfc3339(verified),
  }
}
