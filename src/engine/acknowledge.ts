import { SealiftError } from '../errors.ts'
import { configuredPlaces } from './baseline.ts'
import type { Application, Context } from './context.ts'
import { copyLive } from './live-copy.ts'
import type { AcknowledgeResult, Report } from './report.ts'
import { runVerb } from './run.ts'
import { rfc3339 } from './time.ts'
import { enterWorkplace } from './workplace.ts'

export interface AcknowledgeInput {
  readonly application: Application
  /** The value that the application has now: a fingerprint, with or without colons. */
  readonly value: string
  readonly reason: string
}

/**
 * Records that the operator knows of a change that every backup would point out: from now on none does. The value must
 * be the one that the application has (USAGE): nobody acknowledges what is not there. Tells what the change left to do.
 */
export async function acknowledge(ctx: Context, input: AcknowledgeInput): Promise<Report<AcknowledgeResult>> {
  return runVerb(ctx, 'acknowledge', async (run) => {
    const { application, reason } = input
    const { app, profile } = application
    const value = input.value.trim().replaceAll(':', '').toLowerCase()
    if (!/^[0-9a-f]{64}$/.test(value)) {
      throw new SealiftError('USAGE', { reason: `${input.value} is no SHA-256 fingerprint: 64 hex digits` })
    }
    if (reason.trim() === '') throw new SealiftError('USAGE', { reason: 'a reason has words' })
    if (profile.rotation === undefined) {
      throw new SealiftError('USAGE', { reason: `profile ${profile.name} has nothing to acknowledge` })
    }
    run.concerns({ app })
    await using workplace = await enterWorkplace(ctx, app, 'acknowledge')
    const copies = await copyLive(ctx, configuredPlaces(application), workplace.scratch)
    const { current, findings, identities, next } = await profile.rotation(copies, ctx.signal)
    if (current !== value) {
      const now = current === null ? 'cannot be told on this host' : `is ${current}`
      throw new SealiftError('USAGE', { reason: `the value of the application ${now}, and not ${value}` })
    }
    const at = rfc3339(ctx.now())
    // Not remembered as a cache: without a catalogue there is no acknowledgement.
    ctx.catalog.acknowledge(app, { value, at, reason: reason.trim() })
    return { value, at, reason: reason.trim(), findings, identities, next }
  })
}
