import { openFile } from '../archive/index.ts'
import { SealiftError } from '../errors.ts'
import type { Facts } from '../manifest.ts'
import type { Settings } from '../profiles/arrangement.ts'
import type { ExposedSecret, Response } from '../profiles/response.ts'
import type { ArchiveInput } from './archive-ref.ts'
import { findArchive } from './archive-ref.ts'
import { configuredPlaces, factsOf } from './baseline.ts'
import { BreachSteps } from './breach-steps.ts'
import { copySetAside } from './compromised.ts'
import type { Application, Context, OpenKey } from './context.ts'
import { placesOf } from './examine.ts'
import { readInventory } from './inventory.ts'
import { copyLive } from './live-copy.ts'
import { refuseOpenFiles } from './open-files.ts'
import { refuseExisting, writePrivate } from './private-file.ts'
import type { ArchiveSummary, RecoverResult, Report } from './report.ts'
import { restore } from './restore.ts'
import type { Run } from './run.ts'
import { runVerb } from './run.ts'
import { rfc3339 } from './time.ts'
import { enterWorkplace } from './workplace.ts'

export interface RecoverInput extends Pick<ArchiveInput, 'from' | 'allowLater'> {
  readonly application: Application
  readonly keys: () => Promise<readonly OpenKey[]>
  /** `latest`, or an archive that is named: its state must be from before the breach. */
  readonly archive: string
  readonly breachAt: Date
  /** Bring the archive back, and give the local secrets new values. */
  readonly restore: boolean
  /** Only give the local secrets new values: after a recovery of which that step failed. */
  readonly rotate: boolean
  /** Identities to take out of service. */
  readonly deactivate: readonly string[]
  readonly settings: Settings
  readonly accept: readonly string[]
  /** Folders that an earlier restore set the compromised state aside in; absent: those of this restore, or what is live. */
  readonly compromised?: readonly string[]
  /** The window of the audit; from the archive's moment until now unless given. */
  readonly auditFrom?: Date
  readonly auditTo?: Date
  /** Files of passphrases and keys of the archives on this host: they may be known, too. */
  readonly keyFiles: readonly string[]
  /** A new file for the rows of the window. */
  readonly auditOut?: string
  /** A new file for the result. */
  readonly reportFile?: string
}

const guidance = [
  'quarantine first: cut the compromised host off the network and do not power it on again; its disk is evidence',
  'recover on another host, or on this one with a new disk and a new system',
  'until every secret of the list is renewed, count it as known to whoever broke in',
] as const

/**
 * Walks through the recovery after a breach (mastio.md §10, Ransomware): chooses the last archive of a state from before
 * it, restores it, renews the local secrets, lists all others and the identities to enrol again, and reads the audit of
 * the compromised state. Without `restore` it changes nothing and says what it would use. Steps that fail after the
 * restore are told one by one. ARCHIVE_NOT_FOUND, ARCHIVE_LATER, all of `restore`.
 */
export async function recover(ctx: Context, input: RecoverInput): Promise<Report<RecoverResult>> {
  return runVerb(ctx, 'recover', async (run) => {
    const { app, profile } = input.application
    const { response } = profile
    if (response === undefined) {
      throw new SealiftError('USAGE', {
        reason: `profile ${profile.name} does not say how to recover from a breach`,
      })
    }
    for (const file of [input.auditOut, input.reportFile]) if (file !== undefined) await refuseExisting(file)
    run.concerns({ app })
    for (const line of guidance) ctx.emit({ type: 'note', message: line })
    const chosen = await choose(ctx, input)
    run.concerns({ app, archive_id: chosen.archive.id, name: chosen.archive.name })
    const steps = new BreachSteps(ctx, run)
    const restored = input.restore ? await bringBack(ctx, run, input, chosen.archive.id) : undefined
    if (input.restore) await steps.take('restore', () => Promise.resolve())
    else steps.pass('restore', 'not asked for (--restore)')
    const found = await respond({ ctx, input, response, steps, chosen, restored })
    const result: RecoverResult = {
      breach_at: rfc3339(input.breachAt),
      guidance,
      archive: chosen.archive,
      state_of: chosen.stateOf,
      later: chosen.later,
      ...(restored === undefined ? {} : { restore: restored }),
      ...found,
      warnings: response.warnings,
      steps: steps.taken,
    }
    const { reportFile } = input
    if (reportFile !== undefined) {
      await steps.take('report', () => writePrivate(reportFile, [`${JSON.stringify(result, null, 2)}\n`]))
    }
    return { ...result, steps: steps.taken }
  })
}

interface Chosen {
  readonly archive: RecoverResult['archive']
  readonly stateOf: string
  readonly later: RecoverResult['later']
  /** What backups that lie elsewhere say of the application, the chosen one first. */
  readonly known: readonly { readonly name: string; readonly facts: Facts }[]
}

/** The last clean archive, and those after it: they are told, and not used. */
async function choose(ctx: Context, input: RecoverInput): Promise<Chosen> {
  const { application, breachAt, keys, from, allowLater, archive: wanted } = input
  await using found = await findArchive(ctx, {
    archive: wanted,
    application,
    keys,
    before: breachAt,
    ...(from === undefined ? {} : { from }),
    ...(allowLater === undefined ? {} : { allowLater }),
  })
  const file = await openFile(found.reader, await keys(), { signal: ctx.signal, name: found.name })
  const manifest = await file.manifest()
  const targets = [...application.targets, ...((await from?.()) ?? [])]
  const { archives } = await readInventory(ctx, targets, application)
  const others = distinct(archives.filter(({ id }) => id !== file.header.id))
  const created_at = rfc3339(new Date(file.header.createdAt))
  const moments = manifest.sources.map(({ snapshot_at }) => snapshot_at)
  return {
    archive: { id: file.header.id, name: found.name, target: found.targetName, created_at },
    stateOf: moments.toSorted().at(-1) ?? manifest.finished_at,
    later: others
      .filter((one) => Date.parse(one.created_at) >= breachAt.getTime())
      .map(({ id, name, created_at: at }) => ({ id, name, created_at: at })),
    known: [
      { name: found.name, facts: factsOf(manifest) },
      ...others.flatMap(({ id, name }) => {
        const facts = ctx.catalog.archive(id)?.facts
        return facts === undefined ? [] : [{ name, facts }]
      }),
    ],
  }
}

function distinct(archives: readonly ArchiveSummary[]): ArchiveSummary[] {
  return [...new Map(archives.map((one) => [one.id, one])).values()]
}

/** The restore verb with all its rules. What it throws ends the recovery: nothing was changed then. */
async function bringBack(
  ctx: Context,
  run: Run,
  { application, keys, from, settings, accept }: RecoverInput,
  id: string,
): Promise<NonNullable<RecoverResult['restore']>> {
  const report = await restore(ctx, {
    archive: id,
    application,
    keys,
    force: true,
    // The live environment file was in the hands of whoever broke in.
    settings: { env: 'archive', ...settings },
    accept,
    ...(from === undefined ? {} : { from }),
  })
  for (const warning of report.warnings) run.warn(warning)
  const { result, error } = report
  if (result === undefined) {
    ctx.signal.throwIfAborted()
    throw new SealiftError('RECOVERY_FAILED', { reason: error?.message ?? 'nothing was restored' })
  }
  // It is live, and something could not be cleared up.
  if (error !== undefined) run.warn({ code: 'restore-incomplete', message: error.message })
  return result
}

interface Responding {
  readonly ctx: Context
  readonly input: RecoverInput
  readonly response: Response
  readonly steps: BreachSteps
  readonly chosen: Chosen
  readonly restored: RecoverResult['restore'] | undefined
}

type Found = Pick<RecoverResult, 'rotated' | 'deactivated' | 'secrets' | 'identities' | 'audit'>

async function respond({ ctx, input, response, steps, chosen, restored }: Responding): Promise<Found> {
  const { application, deactivate } = input
  await using workplace = await enterWorkplace(ctx, application.app, 'recover')
  const looked = configuredPlaces(application)
  const live = placesOf(application)
  // Before anything of it is changed: the secrets that were there are those that are known.
  const state = await steps.take('look at the application', () => copyLive(ctx, looked, workplace.scratch))
  const folders = input.compromised ?? restored?.set_aside ?? []
  const aside =
    folders.length === 0
      ? undefined
      : await steps.take('look at the compromised state', () =>
          copySetAside(ctx, looked, folders, workplace.scratch),
        )
  const { keyFiles } = input
  const secrets = await steps.take('inventory of secrets', async () => {
    const all: ExposedSecret[] = []
    for (const one of [aside, state])
      if (one !== undefined) all.push(...(await response.inventory(one, keyFiles)))
    return [...new Map(all.map((one) => [`${one.place} ${one.name}`, one])).values()]
  })
  const rotated =
    input.restore || input.rotate
      ? await steps.take('rotate the local secrets', () => response.rotate(live, ctx.random))
      : steps.pass('rotate the local secrets', 'goes with --restore, or by itself with --rotate')
  const deactivated =
    deactivate.length > 0
      ? await steps.take('deactivate', async () => {
          await refuseOpenFiles([...live.values()], ctx.pid)
          return response.deactivate(live, deactivate)
        })
      : undefined
  const identities = await steps.take('list of identities', async () => {
    const off = new Set(deactivated)
    const list = state === undefined ? [] : await response.identities(state)
    return list.map((one) => (off.has(one.id) ? { ...one, active: false } : one))
  })
  const audit = await steps.take('audit', async () => {
    const from = input.auditFrom ?? new Date(chosen.stateOf)
    const window = { from, to: input.auditTo ?? ctx.now() }
    const looking = aside ?? (restored === undefined ? state : undefined)
    if (looking === undefined) return undefined
    const { auditOut } = input
    if (auditOut !== undefined) await writePrivate(auditOut, lines(response.auditRows(looking, window)))
    return response.audit(looking, window, chosen.known, ctx.signal)
  })
  return {
    rotated: rotated ?? [],
    deactivated: deactivated ?? [],
    secrets: secrets ?? [],
    identities: identities ?? [],
    ...(audit === undefined ? {} : { audit }),
  }
}

/** One line of JSON for each row, many at a time. */
function* lines(rows: Iterable<unknown>): Generator<string> {
  let text = ''
  for (const row of rows) {
    text += `${JSON.stringify(row)}\n`
    if (text.length < 65_536) continue
    yield text
    text = ''
  }
  if (text !== '') yield text
}
