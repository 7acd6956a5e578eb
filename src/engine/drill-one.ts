import path from 'node:path'
import type { OpenKey } from '../archive/index.ts'
import { catalogInMemory } from '../catalog/catalog.ts'
import { SealiftError } from '../errors.ts'
import type { ErrorCode, ErrorData } from '../errors.ts'
import type { Finding } from '../sources/source.ts'
import type { Target } from '../targets/target.ts'
import type { Application, Context } from './context.ts'
import { driftFacts, driftOf, restoredManifest } from './drill-drift.ts'
import type { DriftFacts } from './drill-drift.ts'
import { fetchArchive } from './drill-fetch.ts'
import { findToDrill } from './drill-find.ts'
import { drillProof } from './drill-proof.ts'
import type { DrillOutcome, DrillPhase } from './drill-result.ts'
import { evidenceOf, prove } from './evidence.ts'
import { noteArchive } from './note-archive.ts'
import { defaultObjectives } from './objectives.ts'
import type { ArchiveSummary, ReportedError, RestoreResult } from './report.ts'
import { restore } from './restore.ts'
import { named, remember, reported } from './run.ts'
import type { Run } from './run.ts'
import { PhaseClock } from './phase-clock.ts'
import { noLongerVerified } from './unreadable.ts'
import { markVerified } from './verify.ts'

export interface DrillInput {
  /** As a person names it; `latest` where nothing else is said. A path needs no configuration. */
  readonly archive: string
  readonly application?: Application
  readonly keys: () => Promise<readonly OpenKey[]>
  /** The target to fetch from: its name. Else the last configured one, where the archives go off the host. */
  readonly target?: string
  /** Drill every target, one after the other. */
  readonly allTargets?: boolean
  /** Restore below this folder, which exists, instead of the state folder. */
  readonly scratch?: string
}

interface Drill {
  readonly ctx: Context
  readonly run: Run
  readonly input: DrillInput
  /** Absent for an archive that is a file at hand. */
  readonly target: Target | undefined
  readonly keys: () => Promise<readonly OpenKey[]>
  /** A private folder, which someone else removes. */
  readonly scratch: string
}

/** What is known by the time a drill ends, however it ends. */
interface Known {
  archive?: ArchiveSummary
  result?: RestoreResult
  checks: Finding[]
  drift: string[]
  facts: DriftFacts
  app?: string
  error?: SealiftError
}

/**
 * Drills one archive, and writes down what came of it: also a failure, for a target that did not answer or an archive
 * that does not open is what a drill is there to find. Only a mistake in the call and a stopped run are thrown.
 */
export async function drillOne(drill: Drill): Promise<DrillOutcome> {
  const { ctx, run, input, target } = drill
  const watch = new PhaseClock<DrillPhase>(ctx.now)
  const app = input.application?.app
  const known: Known = { checks: [], drift: [], facts: {}, ...(app === undefined ? {} : { app }) }
  try {
    await rehearse(drill, watch, known)
  } catch (error) {
    ctx.signal.throwIfAborted()
    known.error = named(error)
    if (known.error.kind === 'usage') throw error
    ctx.onFailure?.(error)
    run.fail(known.error)
    // What failed a check was read whole all the same.
    const damaged = known.error.kind === 'integrity' && known.error.code !== 'CHECK_FAILED'
    if (damaged && app !== undefined && target !== undefined && known.archive !== undefined)
      noLongerVerified(ctx, run, app, target.name, known.archive.name)
  }
  watch.stop()
  const outcome = judged(drill, watch, known)
  return { ...outcome, evidence: noted(ctx, run, outcome, known, target) }
}

async function rehearse(drill: Drill, watch: PhaseClock<DrillPhase>, known: Known): Promise<void> {
  const { ctx, input, target, scratch, keys } = drill
  let file = path.resolve(input.archive)
  if (target !== undefined) {
    watch.begin('find')
    const { archive, checks } = await findToDrill(ctx, target, input.archive, input.application)
    known.archive = archive
    known.checks.push(...checks)
    watch.begin('fetch')
    file = await fetchArchive(ctx, target, archive, scratch)
    watch.stop()
  }
  // Someone may have to be asked, which is no part of the time that is measured.
  const given = await keys()
  const to = path.join(scratch, 'restored')
  using catalog = catalogInMemory()
  watch.begin('open')
  const sandbox: Context = {
    ...ctx,
    stateDir: path.join(scratch, 'state'),
    catalog,
    emit(event) {
      if (event.type === 'phase') watch.begin(phaseOf(event.phase))
      if (event.type === 'phase' || event.type === 'progress') ctx.emit(event)
    },
  }
  // The verb itself, as on a machine that has nothing but the archive and its key: no configuration, no catalogue.
  const report = await restore(sandbox, { archive: file, keys: () => Promise.resolve(given), to })
  watch.stop()
  ctx.signal.throwIfAborted()
  // What the checks found stands among the checks.
  for (const warning of report.warnings) if (!warning.code.startsWith('check-')) drill.run.warn(warning)
  if (report.result !== undefined) await learn(drill, known, report.result, to)
  if (report.error !== undefined) throw asThrown(report.error)
}

/** What a restore that came to its end shows. */
async function learn(drill: Drill, known: Known, result: RestoreResult, to: string): Promise<void> {
  const { ctx, run, input, target } = drill
  known.result = result
  known.checks.push(...result.checks)
  known.archive ??= { ...result.archive, name: path.basename(input.archive) }
  const manifest = await restoredManifest(to)
  if (manifest !== undefined) {
    known.app ??= manifest.app
    known.facts = driftFacts(ctx, manifest)
    const before = evidenceOf(ctx, known.app).records.findLast(
      ({ kind, verdict }) => kind === 'drill' && verdict !== 'fail',
    )
    known.drift = driftOf(ctx, manifest, input.application, before)
  }
  if (target === undefined || known.app === undefined) return
  // Staging read every tag and checksum of the copy that this target gave.
  const { app, archive } = { app: known.app, archive: known.archive }
  remember(run, () => noteArchive(ctx, app, archive))
  markVerified(ctx, run, archive.id, target.name)
}

function judged(
  { ctx, input, target }: Drill,
  watch: PhaseClock<DrillPhase>,
  known: Known,
): Omit<DrillOutcome, 'evidence'> {
  const { rto, rpo } = input.application?.objectives ?? defaultObjectives
  const { archive, checks, error } = known
  const age =
    archive === undefined || input.archive !== 'latest'
      ? undefined
      : Math.max(0, Math.round((ctx.now().getTime() - Date.parse(archive.created_at)) / 1000))
  const timely = watch.seconds <= rto && (age === undefined || age <= rpo)
  const verdicts = checks.map(({ verdict }) => verdict)
  const failed = error !== undefined || verdicts.includes('fail')
  return {
    target: target?.name ?? 'file',
    archive: archive === undefined ? null : briefly(archive),
    verdict: failed ? 'fail' : !timely || verdicts.includes('attention') ? 'attention' : 'ok',
    phases: watch.phases,
    seconds: watch.seconds,
    rto: { objective: rto, met: watch.seconds <= rto },
    rpo: age === undefined ? null : { objective: rpo, age, met: age <= rpo },
    restored_bytes: known.result?.restored.reduce((sum, { bytes }) => sum + bytes, 0) ?? 0,
    checks,
    drift: known.drift,
    ...(error === undefined ? {} : { error: reported(error) }),
  }
}

function noted(
  ctx: Context,
  run: Run,
  outcome: Omit<DrillOutcome, 'evidence'>,
  { app, archive, facts }: Known,
  target: Target | undefined,
): DrillOutcome['evidence'] {
  if (app === undefined) return null
  const about =
    archive === undefined ? {} : { archive_id: archive.id, name: archive.name, bytes: archive.size }
  run.concerns({ app, ...about, ...(target === undefined ? {} : { target: target.name }) })
  if (outcome.verdict === 'fail' && outcome.error === undefined) {
    const failed = outcome.checks.filter(({ verdict }) => verdict === 'fail')
    run.fail(new SealiftError('CHECK_FAILED', { failed: failed.map((f) => `${f.check}: ${f.detail}`) }))
  }
  try {
    const { seq, hash } = prove(ctx, run, app, drillProof(outcome, facts))
    return { seq, hash }
  } catch (error) {
    // A drill that is not written down proves nothing later.
    run.fail(named(error))
    return null
  }
}

function briefly({ name, id, created_at, size }: ArchiveSummary): NonNullable<DrillOutcome['archive']> {
  return { name, id, created_at, size }
}

/** The phase of a drill that a phase of the restore belongs to. */
function phaseOf(phase: string): DrillPhase {
  if (phase === 'check' || phase === 'examine') return 'check'
  return phase === 'prepare' ? 'open' : 'restore'
}

function asThrown({ code, data }: ReportedError): SealiftError {
  return new SealiftError(code as ErrorCode, data as ErrorData<ErrorCode>)
}
