import type { Target } from '../targets/target.ts'
import type { Application, Context } from './context.ts'
import { readInventory } from './inventory.ts'
import type { ListResult, Report } from './report.ts'
import { runVerb } from './run.ts'

/** Either the archives of an application, or whatever archives lie at a target given by itself. */
export type ListInput = { readonly application: Application } | { readonly target: Target }

/** The archives that are there, newest first, read from the targets themselves and without a key. */
export async function list(ctx: Context, input: ListInput): Promise<Report<ListResult>> {
  return runVerb(ctx, 'list', () =>
    'target' in input
      ? readInventory(ctx, [input.target])
      : readInventory(ctx, input.application.targets, input.application),
  )
}
