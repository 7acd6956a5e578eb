import type { SlotKey } from '../archive/index.ts'
import { SealiftError } from '../errors.ts'
import type { Stack } from '../profiles/live.ts'
import { backup } from './backup.ts'
import { configuredPlaces } from './baseline.ts'
import type { Baseline } from './baseline.ts'
import { checkAgainst, isFailure } from './check.ts'
import type { Context } from './context.ts'
import { placesOf, sentence } from './examine.ts'
import type { GuardInput } from './guard-input.ts'
import { leavePlainFolder } from './plain-folder.ts'
import type { BackupResult, CheckResult, GuardResult, Report } from './report.ts'
import { undoChange } from './undo-change.ts'
import type { Run } from './run.ts'
import { named, runVerb } from './run.ts'
import { compactTime } from './time.ts'
import { endOf, wayBack } from './way-back.ts'

/** A good backup, taken before a change. */
interface Taken {
  readonly result: BackupResult
  readonly stack: Stack | undefined
  readonly slots: readonly SlotKey[]
}

/**
 * Makes a change that can be undone: a verified backup, then the command, then the checks of the running application.
 * Unless the backup is good the command is not run (CHANGE_REFUSED). Where the command or a check fails, the report has
 * the exact way back, or it was gone (`autoRollback`). CHANGE_FAILED, LIVE_CHECK_FAILED, ROLLBACK_FAILED.
 */
export async function guard(ctx: Context, input: GuardInput): Promise<Report<GuardResult>> {
  return runVerb(ctx, 'guard', async (run) => {
    const { application, command } = input
    run.concerns({ app: application.app })
    refuseUnfit(input)
    const taken = await takeBackup(ctx, run, input)
    const { archive } = taken.result
    run.concerns({ app: application.app, archive_id: archive.id, name: archive.name, bytes: archive.size })
    const folder = await leaveFolder(ctx, input, taken)
    const way_back = wayBack({ ctx, input, taken: taken.result, stack: taken.stack })
    // From here on the run has a result whatever happens: the change was begun.
    const { error: failed, ...ended } = await attempt(ctx, input)
    const looked = failed === undefined ? await look(ctx, input, taken) : {}
    const failure = failed ?? looked.error
    const before = {
      backup: taken.result,
      ...(folder === undefined ? {} : { folder }),
      command: { words: command, ...ended },
      ...(looked.checks === undefined ? {} : { checks: looked.checks }),
      good: failure === undefined,
      way_back,
    }
    if (failure === undefined || input.autoRollback !== true) {
      if (failure !== undefined) run.fail(failure)
      return before
    }
    const { error, ...rolled_back } = await undoChange(ctx, run, input, taken)
    run.fail(error ?? failure)
    return { ...before, rolled_back }
  })
}

function refuseUnfit({ application, command, ask, logsCommand, folder }: GuardInput): void {
  const { profile } = application
  const reason = profile.vet?.(command)
  if (reason !== undefined) throw new SealiftError('USAGE', { reason })
  if (folder !== undefined && profile.plainFolder === undefined) {
    throw new SealiftError('USAGE', { reason: `profile ${profile.name} leaves no folder before a change` })
  }
  if (profile.live === undefined && (ask !== undefined || logsCommand !== undefined)) {
    throw new SealiftError('USAGE', {
      reason: `profile ${profile.name} has no checks of a running application`,
    })
  }
}

/** The backup is the verb itself. A target that did not get its copy is a warning: the archive is there and proven. */
async function takeBackup(ctx: Context, run: Run, input: GuardInput): Promise<Taken> {
  const { application } = input
  const slots = await input.slots()
  const stack = await application.profile.stack?.(placesOf(application))
  const report = await backup(ctx, { application, slots: () => Promise.resolve(slots), verify: true })
  ctx.signal.throwIfAborted()
  for (const warning of report.warnings) run.warn(warning)
  const { result, error } = report
  if (result?.state !== 'verified' || result.verdict === 'fail') {
    const reason = error?.message ?? 'it was not verified'
    throw new SealiftError('CHANGE_REFUSED', { reason, ...(error === undefined ? {} : { code: error.code }) })
  }
  for (const { target, ok, error: failure } of result.copies) {
    if (!ok) run.warn({ code: 'copy-failed', message: `${target} got no copy: ${failure?.message ?? ''}` })
  }
  return { result, stack, slots }
}

/** Without the folder that was asked for the command is not run either. */
async function leaveFolder(
  ctx: Context,
  { application, command, folder: wanted }: GuardInput,
  { result: { archive }, slots }: Taken,
): Promise<string | undefined> {
  if (wanted === undefined) return undefined
  const stamp = compactTime(ctx.now())
  const folder = await application.profile.plainFolder?.(placesOf(application), command, stamp)
  if (folder === undefined) {
    throw new SealiftError('CHANGE_REFUSED', { reason: 'nothing here says where its folder would go' })
  }
  const keys = slots.filter((slot) => slot.type === 'passphrase')
  try {
    return await leavePlainFolder(ctx, { application, archive, keys, folder, keep: wanted.keep })
  } catch (error) {
    ctx.signal.throwIfAborted()
    const { code, message } = named(error)
    throw new SealiftError('CHANGE_REFUSED', { reason: `its folder: ${message}`, code }, error)
  }
}

async function attempt(
  ctx: Context,
  { command, quietOutput = false }: GuardInput,
): Promise<Omit<GuardResult['command'], 'words'> & { readonly error?: SealiftError }> {
  ctx.emit({ type: 'note', message: `the backup is good; running ${command.join(' ')}` })
  const started = ctx.now().getTime()
  const took = (): number => (ctx.now().getTime() - started) / 1000
  try {
    const { code, signal } = await ctx.programs.attend(command, { signal: ctx.signal, quietOutput })
    const seconds = took()
    if (code === 0 && !ctx.signal.aborted) return { code, signal, seconds }
    const end = code === 0 ? 'success, and the run was stopped before its checks' : endOf(code, signal)
    const error = new SealiftError('CHANGE_FAILED', { command: command[0] ?? '', end })
    return { code, signal, seconds, error }
  } catch (error) {
    return { code: null, signal: null, seconds: took(), error: named(error) }
  }
}

/** A check that cannot be made is no good sign: it counts as a failed one. */
async function look(
  ctx: Context,
  { application, ask, logsCommand }: GuardInput,
  { result: { archive } }: Taken,
): Promise<{ readonly checks?: CheckResult; readonly error?: SealiftError }> {
  const { app, profile } = application
  if (profile.live === undefined) return {}
  const facts = ctx.catalog.archive(archive.id)?.facts ?? {}
  const baseline: Baseline = {
    app,
    profile,
    facts,
    looked: configuredPlaces(application),
    archive,
    from: 'catalogue',
  }
  try {
    const log =
      logsCommand === undefined ? undefined : ctx.programs.output(['/bin/sh', '-c', logsCommand], ctx.signal)
    const checks = await checkAgainst(ctx, baseline, {
      ...(ask === undefined ? {} : { ask }),
      ...(log === undefined ? {} : { log }),
    })
    const failed = checks.findings.filter(isFailure)
    if (failed.length === 0) return { checks }
    return { checks, error: new SealiftError('LIVE_CHECK_FAILED', { failed: failed.map(sentence) }) }
  } catch (error) {
    return { error: named(error) }
  }
}
