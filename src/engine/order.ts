import { SealiftError } from '../errors.ts'
import type { Context } from './context.ts'
import { endOf } from './way-back.ts'

/** Has a program stop or start the application. ROLLBACK_FAILED for every end but success. */
export async function order(
  ctx: Context,
  command: readonly string[],
  folder: string,
  quietOutput: boolean,
): Promise<void> {
  ctx.emit({ type: 'note', message: `rolling back: ${command.join(' ')}` })
  const { code, signal } = await ctx.programs.attend(command, { signal: ctx.signal, folder, quietOutput })
  if (code === 0) return
  const reason = `it ended with ${endOf(code, signal)}`
  throw new SealiftError('ROLLBACK_FAILED', { step: command.join(' '), reason })
}
