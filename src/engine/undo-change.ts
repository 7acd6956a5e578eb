import type { SlotKey } from '../archive/index.ts'
import { SealiftError } from '../errors.ts'
import type { Stack } from '../profiles/live.ts'
import type { Context, OpenKey } from './context.ts'
import type { GuardInput } from './guard-input.ts'
import { order } from './order.ts'
import type { BackupResult, GuardResult } from './report.ts'
import { restore } from './restore.ts'
import type { Run } from './run.ts'
import { named } from './run.ts'
import { accepted } from './way-back.ts'

type Outcome = Omit<NonNullable<GuardResult['rolled_back']>, 'error'> & { readonly error?: SealiftError }

/**
 * Goes the way back after a change that failed: stops the application, restores, starts it again. Each step is told; the
 * first that fails ends it (ROLLBACK_FAILED). What keeps the restored application from being started leaves it stopped.
 */
export async function undoChange(
  ctx: Context,
  run: Run,
  input: GuardInput,
  {
    result: taken,
    stack,
    slots,
  }: { readonly result: BackupResult; readonly stack: Stack | undefined; readonly slots: readonly SlotKey[] },
): Promise<Outcome> {
  if (ctx.signal.aborted) {
    const error = new SealiftError('ROLLBACK_FAILED', { step: 'begin', reason: 'the run was stopped' })
    return { ok: false, stopped: false, started: false, error }
  }
  const { application, quietOutput = false } = input
  let stopped = false
  let restored: Outcome['restore']
  try {
    if (stack !== undefined) {
      await order(ctx, stack.stop, stack.folder, quietOutput)
      stopped = true
    }
    const keys: readonly OpenKey[] = slots.filter((slot) => slot.type === 'passphrase')
    const report = await restore(ctx, {
      archive: taken.archive.id,
      application,
      keys: () => Promise.resolve(keys),
      force: true,
      accept: accepted({ input, taken }),
      settings: { env: 'archive' },
    })
    for (const warning of report.warnings) run.warn(warning)
    restored = report.result
    if (report.error !== undefined || restored === undefined) {
      const reason = report.error?.message ?? 'nothing was restored'
      throw new SealiftError('ROLLBACK_FAILED', { step: 'restore', reason })
    }
    if (stack === undefined || restored.blocked.length > 0) {
      return { ok: true, stopped, restore: restored, started: false }
    }
    await order(ctx, stack.start, stack.folder, quietOutput)
    return { ok: true, stopped, restore: restored, started: true }
  } catch (error) {
    const result = restored === undefined ? {} : { restore: restored }
    return { ok: false, stopped, started: false, ...result, error: named(error) }
  }
}
