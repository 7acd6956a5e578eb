import type { Target } from '../targets/target.ts'
import type { Application, Context } from './context.ts'
import { readInventory } from './inventory.ts'
import { placeTargets } from './off-host.ts'
import type { ListResult, Report } from './report.ts'
import { runVerb } from './run.ts'

/** The archives of an application, at its targets and in further folders; without one, whatever lies in the folders. */
export interface ListInput {
  readonly application?: Application
  readonly folders?: readonly Target[]
}

/** The archives that are there, newest first, read from the places themselves and without a key. */
export async function list(
  ctx: Context,
  { application, folders = [] }: ListInput,
): Promise<Report<ListResult>> {
  return runVerb(ctx, 'list', async () => {
    if (application === undefined) return readInventory(ctx, folders)
    const { targets, sources } = application
    const found = await readInventory(ctx, [...targets, ...folders], application)
    return { ...found, placements: await placeTargets(ctx, targets, sources) }
  })
}
