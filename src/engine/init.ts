import { link, lstat, open, readFile, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { reasonOf, SealiftError, systemCode } from '../errors.ts'
import type { Context } from './context.ts'
import { readCompose } from './discover-compose.ts'
import type { ComposeData } from './discover-compose.ts'
import { discover } from './discover.ts'
import type { LeftOut } from './discover-file.ts'
import type { Surroundings } from './discover.ts'
import { planInit } from './init-plan.ts'
import type { Found, InitPlan, PlannedSource } from './init-plan.ts'
import { planOf, recognise } from './init-proposal.ts'
import { initText } from './init-text.ts'
import { syncFolder } from './journal.ts'
import type { Report } from './report.ts'
import { runVerb } from './run.ts'

export interface InitInput {
  /** Where the application lies. */
  readonly folder: string
  /** The configuration to write. */
  readonly output: string
  readonly app?: string
  /** The profile that knows the application; else the one that recognises it. */
  readonly profile?: string
  /** Replace a configuration that is there. */
  readonly force: boolean
}

export interface InitResult {
  readonly path: string
  readonly app: string
  readonly profile: string
  /** Nothing was recognised: the sources are examples, to be replaced by hand. */
  readonly template: boolean
  readonly found: readonly Found[]
  readonly sources: readonly Pick<PlannedSource, 'name' | 'kind' | 'path'>[]
  readonly left_out: readonly { readonly path: string; readonly reason: string }[]
  readonly target: string
  /** Not made: the configuration says how. */
  readonly passphrase_file: string
  readonly entries: number
}

const largestCompose = 256 * 1024

/**
 * Looks around in an application's folder and writes a commented configuration for what it finds: what the profile
 * says that knows the application, else what can be told by sight. Databases are told by their first bytes and never
 * opened. What may hold data and is not backed up stands in the file and is a warning (`not-backed-up`). CONFIG_EXISTS
 * unless `force`; the file appears whole or not at all.
 */
export async function init(ctx: Context, input: InitInput): Promise<Report<InitResult>> {
  return runVerb(ctx, 'init', async (run) => {
    const folder = path.resolve(input.folder)
    const output = path.resolve(input.output)
    if (!input.force && (await exists(output))) throw new SealiftError('CONFIG_EXISTS', { path: output })
    ctx.emit({ type: 'phase', phase: 'prepare', label: `looking around in ${folder}` })
    const recognised = await recognise(ctx, folder, input.profile)
    const { plan, entries } =
      recognised === undefined
        ? await planFromSight(ctx, { folder, output, app: input.app })
        : { plan: planOf(recognised, input.app), entries: recognised.proposal.sources.length }
    const temporary = `${output}.${ctx.random(6).toString('hex')}.part`
    await writeNew({ output, temporary, force: input.force }, initText(plan, output))
    for (const left of plan.leftOut.filter(isLoud)) {
      run.warn({ code: 'not-backed-up', path: left.path, message: `${left.path}: ${left.reason}` })
    }
    for (const { check, class: weight, detail } of recognised?.proposal.findings ?? []) {
      if (weight !== 'note') run.warn({ code: check, path: folder, message: detail })
    }
    if (plan.template) {
      const message = `nothing in ${folder} was recognised as data: the sources in ${output} are examples`
      run.warn({ code: 'nothing-found', path: folder, message })
    }
    const { app, template, found, sources, leftOut, target, passphraseFile } = plan
    return {
      path: output,
      app,
      profile: plan.profile ?? 'generic',
      template,
      found,
      sources: sources.map(({ name, kind, path: at }) => ({ name, kind, path: at })),
      left_out: leftOut.map(({ path: at, reason }) => ({ path: at, reason })),
      target,
      passphrase_file: passphraseFile,
      entries,
    }
  })
}

/** What there is to see where no profile knows the application. */
async function planFromSight(
  ctx: Context,
  given: { readonly folder: string; readonly output: string; readonly app: string | undefined },
): Promise<{ plan: InitPlan; entries: number }> {
  const surroundings = await lookAround(ctx, given.folder)
  const compose = await readComposeFiles(surroundings)
  const { privileged, stateDir } = ctx
  const plan = planInit({ ...given, privileged, stateDir, surroundings, compose })
  return { plan, entries: surroundings.entries }
}

async function lookAround(ctx: Context, folder: string): Promise<Surroundings> {
  try {
    return await discover(folder, new Set([path.resolve(ctx.stateDir)]), ctx.signal)
  } catch (error) {
    if (systemCode(error) === undefined || ctx.signal.aborted) throw error
    throw new SealiftError(
      'IO_FAILED',
      { path: folder, operation: 'look into', reason: reasonOf(error) },
      error,
    )
  }
}

async function readComposeFiles({ sightings }: Surroundings): Promise<Map<string, ComposeData>> {
  const compose = new Map<string, ComposeData>()
  for (const { kind, path: file } of sightings) {
    if (kind !== 'compose' || (await lstat(file)).size > largestCompose) continue
    compose.set(file, readCompose(await readFile(file, 'utf8'), path.dirname(file)))
  }
  return compose
}

function isLoud(left: LeftOut): boolean {
  return left.loud
}

async function exists(file: string): Promise<boolean> {
  try {
    await lstat(file)
    return true
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false
    throw error
  }
}

interface NewFile {
  readonly output: string
  readonly temporary: string
  readonly force: boolean
}

/** The whole text under a temporary name, made durable, then in place in one step. */
async function writeNew({ output, temporary, force }: NewFile, text: string): Promise<void> {
  try {
    await using file = await open(temporary, 'wx', 0o644)
    await file.writeFile(text)
    await file.sync()
    if (force) await rename(temporary, output)
    else await publish(temporary, output)
    await syncFolder(path.dirname(output))
  } catch (error) {
    if (error instanceof SealiftError) throw error
    if (systemCode(error) === 'EEXIST') throw new SealiftError('CONFIG_EXISTS', { path: output }, error)
    throw new SealiftError('IO_FAILED', { path: output, operation: 'write', reason: reasonOf(error) }, error)
  } finally {
    await rm(temporary, { force: true })
  }
}

/** A link refuses a name that was taken meanwhile; a file system without links (vfat) gets the look and the rename. */
async function publish(temporary: string, output: string): Promise<void> {
  try {
    await link(temporary, output)
  } catch (error) {
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(systemCode(error) ?? '')) throw error
    if (await exists(output)) throw new SealiftError('CONFIG_EXISTS', { path: output }, error)
    await rename(temporary, output)
  }
}
