import { SealiftError } from '../errors.ts'
import type { Context } from './context.ts'
import type { BreachStep } from './report.ts'
import type { Run } from './run.ts'
import { named, reported } from './run.ts'

/**
 * The steps of a recovery, one after the other. One that fails is told and does not stop the others: after the restore
 * each of them is worth its own. The run then ends with the first failure.
 */
export class BreachSteps {
  readonly #ctx: Context
  readonly #run: Run
  readonly #taken: BreachStep[] = []

  constructor(ctx: Context, run: Run) {
    this.#ctx = ctx
    this.#run = run
  }

  get taken(): readonly BreachStep[] {
    return this.#taken
  }

  /** Takes a step and gives what came of it; undefined where it failed. */
  async take<Result>(step: string, work: () => Promise<Result>): Promise<Result | undefined> {
    this.#ctx.emit({ type: 'phase', phase: 'recover', label: step })
    try {
      this.#ctx.signal.throwIfAborted()
      const result = await work()
      this.#taken.push({ step, state: 'done' })
      return result
    } catch (error) {
      const failure = this.#ctx.signal.aborted ? stopped(step) : named(error)
      this.#run.fail(failure)
      this.#taken.push({ step, state: 'failed', error: reported(failure) })
      return undefined
    }
  }

  /** A step that was not asked for, and why not. */
  pass(step: string, detail: string): void {
    this.#taken.push({ step, state: 'left', detail })
  }
}

/** What was done before stays done: "nothing was left behind" would not be true. */
function stopped(step: string): SealiftError {
  return new SealiftError('RECOVERY_STOPPED', { step })
}
