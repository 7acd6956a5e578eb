import type { Stack } from '../profiles/live.ts'
import type { Context } from './context.ts'
import type { GuardInput } from './guard-input.ts'
import type { BackupResult } from './report.ts'

export interface Ground {
  readonly ctx: Context
  readonly input: Pick<GuardInput, 'application' | 'accept' | 'config'>
  readonly taken: BackupResult
  readonly stack: Stack | undefined
}

/** Words that a rollback to a backup accepts: what was found when it was made was so before the change. */
export function accepted({ input, taken }: Pick<Ground, 'input' | 'taken'>): string[] {
  const before = (taken.findings ?? []).filter(({ class: weight }) => weight === 'attention')
  return [...new Set([...before.map(({ check }) => check), ...(input.accept ?? [])])]
}

/** The lines for a shell that bring back what was before the change. */
export function wayBack({ ctx, input, taken, stack }: Ground): string[] {
  const { application, config } = input
  const within = (command: readonly string[]): string =>
    `(cd ${quoted(stack?.folder ?? '.')} && ${command.map(quoted).join(' ')})`
  const restore = [
    ...(ctx.privileged ? [] : ['sudo']),
    'sealift',
    'restore',
    taken.archive.id.slice(0, 12),
    '--force',
    ...(application.profile.arrange === undefined ? [] : ['--env', 'archive']),
    ...accepted({ input, taken }).flatMap((word) => ['--accept', word]),
    '--config',
    config,
  ]
  return [
    ...(stack === undefined ? [] : [within(stack.stop)]),
    restore.map(quoted).join(' '),
    ...(stack === undefined ? [] : [within(stack.start)]),
  ]
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
}

/** How a program ended, in words. */
export function endOf(code: number | null, signal: string | null): string {
  return signal ?? `exit code ${String(code)}`
}
