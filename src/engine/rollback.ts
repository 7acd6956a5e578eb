import { rm } from 'node:fs/promises'
import path from 'node:path'
import { catalogInMemory } from '../catalog/catalog.ts'
import { SealiftError } from '../errors.ts'
import type { PlainBackup } from '../profiles/live.ts'
import { Secret } from '../secret.ts'
import type { Target } from '../targets/target.ts'
import { backup } from './backup.ts'
import { withSidecars } from './compromised.ts'
import type { Application, Context } from './context.ts'
import { placesOf } from './examine.ts'
import { privateFolder } from './private-folder.ts'
import type { PlainBackupSummary, Report, RollbackResult } from './report.ts'
import { restore } from './restore.ts'
import type { Run } from './run.ts'
import { runVerb } from './run.ts'
import { order } from './order.ts'
import { enterWorkplace } from './workplace.ts'

export interface RollbackInput {
  readonly application: Application
  /** The name of a folder; absent: they are only listed. */
  readonly id?: string
  /** Findings that do not stop it. */
  readonly accept: readonly string[]
  /** Stop the application first and start it afterwards. */
  readonly restart: boolean
  readonly quietOutput?: boolean
  /** Any folder as a place of archives. */
  readonly openFolder: (path: string) => Promise<Target>
}

export const samePlace =
  'plain folders on the same disk: no substitute for a backup elsewhere, and counted for no objective'

/**
 * Goes back to a plain folder that the application's own scripts left. Its database may have been copied while it was
 * written: it is opened as a copy, sealed into an archive that nobody else can open, and brought back by all rules of
 * `restore`, so that a torn one is refused with nothing changed. ARCHIVE_NOT_FOUND, SOURCE_CORRUPT, all of `restore`.
 */
export async function rollback(ctx: Context, input: RollbackInput): Promise<Report<RollbackResult>> {
  return runVerb(ctx, 'rollback', async (run) => {
    const { application, id } = input
    const { app, profile } = application
    if (profile.plainBackups === undefined) {
      throw new SealiftError('USAGE', { reason: `profile ${profile.name} knows no folders to roll back to` })
    }
    const found = await profile.plainBackups(placesOf(application))
    const backups = found.map(summary)
    if (id === undefined) return { backups, note: samePlace }
    run.concerns({ app, name: id })
    const chosen = found.find((one) => one.id === id)
    if (chosen === undefined) {
      throw new SealiftError('ARCHIVE_NOT_FOUND', {
        wanted: id,
        where: backups.map((one) => one.id).join(', ') || 'no folder',
      })
    }
    return { backups, note: samePlace, chosen: summary(chosen), ...(await goBack(ctx, run, input, chosen)) }
  })
}

function summary({ id, path: at, what, taken_at, places }: PlainBackup): PlainBackupSummary {
  return { id, path: at, what, taken_at, sources: [...places.keys()] }
}

async function goBack(
  ctx: Context,
  run: Run,
  input: RollbackInput,
  chosen: PlainBackup,
): Promise<Pick<RollbackResult, 'restore' | 'started'>> {
  const { application, restart, accept, quietOutput = false } = input
  const folder = await privateFolder(path.join(await privateFolder(ctx.stateDir), 'rollback'))
  const passphrase = new Secret(ctx.random(32).toString('hex'))
  const stack = restart ? await application.profile.stack?.(placesOf(application)) : undefined
  if (restart && stack === undefined) {
    throw new SealiftError('USAGE', {
      reason: 'nothing here says how the application is stopped and started',
    })
  }
  try {
    // What a killed run left opens with no key any more.
    await rm(folder, { recursive: true, force: true })
    const archive = await sealFolder(ctx, input, chosen, await privateFolder(folder), passphrase)
    if (stack !== undefined) await order(ctx, stack.stop, stack.folder, quietOutput)
    const report = await restore(ctx, {
      archive,
      application,
      keys: () => Promise.resolve([{ type: 'passphrase', passphrase }]),
      force: true,
      accept,
      settings: { env: 'archive' },
    })
    for (const warning of report.warnings) run.warn(warning)
    const { result, error } = report
    if (result === undefined || error !== undefined) {
      ctx.signal.throwIfAborted()
      const reason = error?.message ?? 'nothing was restored'
      throw new SealiftError('ROLLBACK_FAILED', { step: 'restore', reason })
    }
    if (stack === undefined || result.blocked.length > 0) return { restore: result, started: false }
    await order(ctx, stack.start, stack.folder, quietOutput)
    return { restore: result, started: true }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/**
 * Seals what is in a folder, and gives the archive's path. It is a run of its own in a state of its own: nothing of it is
 * recorded, and it counts for nothing. The profile looks at it when it is restored.
 */
async function sealFolder(
  ctx: Context,
  { application, openFolder }: RollbackInput,
  { id, places }: PlainBackup,
  folder: string,
  passphrase: Secret,
): Promise<string> {
  await using workplace = await enterWorkplace(ctx, application.app, 'rollback')
  using catalog = catalogInMemory()
  const sources = []
  for (const { name, kind } of application.sources) {
    const at = places.get(name)
    const driver = ctx.sourceDrivers[kind]
    if (at === undefined || driver === undefined) continue
    const own = path.join(await privateFolder(path.join(workplace.scratch, 'folder')), name)
    const opened =
      driver.copy === undefined
        ? at
        : await withSidecars(at, path.join(await privateFolder(own), path.basename(at)), driver)
    sources.push(driver.open(name, { path: opened }))
  }
  const { name: profileName, title } = application.profile
  const target = await openFolder(folder)
  const report = await backup(
    { ...ctx, catalog, stateDir: await privateFolder(path.join(workplace.scratch, 'state')) },
    {
      application: {
        app: application.app,
        // It only gives its name: what it examines and refuses, it does when this is restored.
        profile: { name: profileName, title },
        sources,
        targets: [target],
        compression: 'none',
        retention: undefined,
      },
      slots: () => Promise.resolve([{ type: 'passphrase', passphrase }]),
    },
  )
  if (report.result === undefined) {
    ctx.signal.throwIfAborted()
    const reason = `${id} is not whole: ${report.error?.message ?? 'it could not be read'}`
    throw new SealiftError('ROLLBACK_REFUSED', { reason })
  }
  return path.join(folder, report.result.archive.name)
}
