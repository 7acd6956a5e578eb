import { createReadStream } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { SealiftError } from '../errors.ts'
import type { ProfileFinding } from '../profiles/examination.ts'
import { verdictOf } from '../profiles/examination.ts'
import type { Address } from '../profiles/live.ts'
import type { Baseline, BaselineInput } from './baseline.ts'
import { findBaseline } from './baseline.ts'
import type { Context } from './context.ts'
import { sentence } from './examine.ts'
import { copyLive } from './live-copy.ts'
import type { CheckResult, Report } from './report.ts'
import { runVerb } from './run.ts'
import { enterWorkplace } from './workplace.ts'

/** Where a running application is asked. */
export interface AskInput {
  readonly url: URL
  /** PEM of the one certificate that is trusted; absent: the one that the facts name. */
  readonly ca?: string
  /** Seconds that it may take to get ready. */
  readonly wait: number
}

export interface CheckInput extends BaselineInput, AskInput {
  /** What the application has logged: a file, or `-` for standard input. */
  readonly logs?: string
}

/**
 * Asks a running application whether it is the continuation of a backup: not whether something answers, but whether it
 * is the same thing. Verdict `ok` means that everything the profile can look at was looked at and is right; what was
 * not looked at makes it `attention`. LIVE_CHECK_FAILED for a `fail`.
 */
export async function check(ctx: Context, input: CheckInput): Promise<Report<CheckResult>> {
  return runVerb(ctx, 'check', async (run) => {
    const baseline = await findBaseline(ctx, input)
    run.concerns({ app: baseline.app, archive_id: baseline.archive.id, name: baseline.archive.name })
    const log = input.logs === undefined ? undefined : openLog(ctx, input.logs)
    const result = await checkAgainst(ctx, baseline, { ask: input, ...(log === undefined ? {} : { log }) })
    const failed = result.findings.filter(isFailure)
    if (failed.length > 0) run.fail(new SealiftError('LIVE_CHECK_FAILED', { failed: failed.map(sentence) }))
    return result
  })
}

/** One look at a running application: what `check` does, and `guard` after a change. */
export async function checkAgainst(
  ctx: Context,
  baseline: Baseline,
  { ask, log }: { readonly ask?: AskInput; readonly log?: AsyncIterable<Uint8Array | string> },
): Promise<CheckResult> {
  const { app, profile, archive, from } = baseline
  if (profile.live === undefined) {
    throw new SealiftError('USAGE', {
      reason: `profile ${profile.name} has no checks of a running application`,
    })
  }
  await using workplace = await enterWorkplace(ctx, app, 'check')
  ctx.emit({ type: 'phase', phase: 'check', label: `checking ${app}${ask ? ` at ${ask.url.origin}` : ''}` })
  const address = ask === undefined ? undefined : addressOf(ctx, ask)
  const { findings, looks } = await profile.live(
    {
      facts: baseline.facts,
      live: new Map(baseline.looked.map(({ name, path }) => [name, path])),
      copies: () => copyLive(ctx, baseline.looked, workplace.scratch),
      ...(address === undefined ? {} : { address }),
      ...(log === undefined ? {} : { log }),
    },
    ctx.signal,
  )
  const unseen = looks.some(({ done }) => !done)
  const judged = verdictOf(findings)
  return {
    ...(ask === undefined ? {} : { url: ask.url.origin }),
    archive,
    facts_from: from,
    looks,
    findings,
    verdict: judged === 'ok' && unseen ? 'attention' : judged,
  }
}

export function isFailure({ class: weight }: ProfileFinding): boolean {
  return weight === 'hard' || weight === 'fail'
}

function addressOf(ctx: Context, { url, ca, wait }: AskInput): Address {
  const sleep = async (ms: number, signal: AbortSignal): Promise<void> => {
    await setTimeout(ms, undefined, { signal })
  }
  return { url, ...(ca === undefined ? {} : { ca }), patience: { seconds: wait, now: ctx.now, sleep } }
}

function openLog(ctx: Context, logs: string): AsyncIterable<Uint8Array | string> {
  return logs === '-' ? ctx.stdin() : createReadStream(logs)
}
