import path from 'node:path'
import type { EvidenceChain } from '../catalog/evidence-chain.ts'
import { appendEvidence, readEvidence } from '../catalog/evidence-log.ts'
import type { EvidenceAt } from '../catalog/evidence-log.ts'
import type { EvidenceEntry, EvidenceRecord } from '../catalog/evidence-record.ts'
import { reasonOf } from '../errors.ts'
import type { Context } from './context.ts'
import type { ArchiveSummary } from './report.ts'
import type { Run } from './run.ts'
import { remember } from './run.ts'
import { rfc3339 } from './time.ts'

/** What a run proved, as it goes into the log. */
export type Proof = Pick<EvidenceEntry, 'kind' | 'subject' | 'verdict' | 'details'>

/** Adds what a run proved to the application's evidence log, durable when this returns. IO_FAILED. */
export function prove(ctx: Context, run: Run, app: string, proof: Proof): EvidenceRecord {
  const about = { time: rfc3339(ctx.now()), app, host: ctx.host, version: ctx.version }
  const record = appendEvidence(logOf(ctx, app), { ...about, ...proof })
  remember(run, () => ctx.catalog.rememberEvidence(app, record, ctx.now()))
  return record
}

/** The same for a run whose purpose is another: that its proof could not be noted is a warning. */
export function proveToo(ctx: Context, run: Run, app: string, proof: Proof): void {
  try {
    prove(ctx, run, app, proof)
  } catch (error) {
    const message = `the evidence log could not be added to: ${reasonOf(error)}`
    run.warn({ code: 'evidence-unavailable', message })
  }
}

/** The application's evidence log, read and judged. IO_FAILED. */
export function evidenceOf(ctx: Context, app: string): EvidenceChain {
  return readEvidence(logOf(ctx, app))
}

/** An archive as the subject of a record. */
export function subjectOf({ id, name, target, created_at, size }: ArchiveSummary): Proof['subject'] {
  return { archive: id, name, target, created_at, size }
}

function logOf(ctx: Context, app: string): EvidenceAt {
  return { folder: path.join(ctx.stateDir, 'evidence'), app, anchor: anchorOf(ctx, app) }
}

/** The catalogue is a cache: without it a cut tail does not show, and everything else does. */
function anchorOf(ctx: Context, app: string): EvidenceAt['anchor'] {
  try {
    return ctx.catalog.evidenceHead(app)
  } catch {
    return undefined
  }
}
