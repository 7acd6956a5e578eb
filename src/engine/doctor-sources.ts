import { open, realpath, statfs } from 'node:fs/promises'
import path from 'node:path'
import type { Source } from '../sources/source.ts'
import type { Target } from '../targets/target.ts'
import type { Application, Context } from './context.ts'
import { isInside } from './destinations.ts'
import { discover } from './discover.ts'
import type { Sighting } from './discover.ts'
import { attempted, sized } from './doctor-finding.ts'
import type { DoctorFinding } from './doctor-finding.ts'
import { enterWorkplace } from './workplace.ts'

/** Every source: readable, about how large, and what in it would not be copied well. `bytes` is the sum. */
export async function examineSources(
  ctx: Context,
  { app, sources, targets }: Application,
  deep: boolean,
): Promise<{ readonly bytes: number; readonly findings: readonly DoctorFinding[] }> {
  const claimed = new Set(sources.flatMap((source) => source.claims()))
  const findings: DoctorFinding[] = []
  let bytes = 0
  let largestCopy = 0
  for (const source of sources) {
    const check = `source ${source.name}`
    const examine = async (): Promise<DoctorFinding> => {
      const size = await source.estimate(ctx.signal, claimed)
      bytes += size
      if (source.claims().length > 0) largestCopy += size
      const journal = source.kind === 'sqlite' ? `, ${await journalMode(source.place.path)}` : ''
      return {
        check,
        verdict: 'ok',
        detail: `${source.place.path} is readable, about ${sized(size)}${journal}`,
      }
    }
    const finding = await attempted(check, examine, ctx.signal)
    findings.push(finding)
    if (finding.verdict === 'fail' || source.place.type !== 'directory') continue
    findings.push(
      await attempted(`databases in ${source.name}`, () => liveDatabases(ctx, source, claimed), ctx.signal),
      await attempted(`archives in ${source.name}`, () => ownArchives(ctx, source, targets), ctx.signal),
    )
  }
  findings.push(await attempted('scratch space', () => scratchSpace(ctx.stateDir, largestCopy), ctx.signal))
  if (deep) findings.push(...(await takeSnapshots(ctx, app, sources, claimed)))
  return { bytes, findings }
}

/**
 * What the header of a database says (SQLite file format §1.3, bytes 18 and 19). This process has no connection to that
 * file, so opening and closing it drops no lock of SQLite's.
 */
async function journalMode(file: string): Promise<string> {
  await using handle = await open(file, 'r')
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(20), 0, 20, 0)
  if (bytesRead < 20) return 'empty'
  return buffer[18] === 2 ? 'in WAL mode' : 'with a rollback journal'
}

/** Databases in a tree of files that no source claims: a copy of one that is being written is torn. */
async function liveDatabases(
  ctx: Context,
  source: Source,
  claimed: ReadonlySet<string>,
): Promise<DoctorFinding> {
  const check = `databases in ${source.name}`
  const root = await realpath(source.place.path)
  const own = new Set([path.resolve(ctx.stateDir), await realpath(ctx.stateDir).catch(() => ctx.stateDir)])
  const { sightings, leftOut } = await discover(root, own, ctx.signal)
  const suspects = sightings.filter(({ kind, path: at }) => isDatabase(kind) && !claimed.has(at))
  const taken = await takenIn(ctx, source, root, suspects, claimed)
  if (taken.length === 0) {
    const partly = leftOut.some(({ reason }) => reason.startsWith('not looked'))
    return {
      check,
      verdict: 'ok',
      detail: `none${partly ? ' as far as was looked' : ''} that no source of its own copies`,
    }
  }
  const names = taken.slice(0, 5).map(({ path: at }) => at)
  const more = taken.length > names.length ? ` and ${taken.length - names.length} more` : ''
  return {
    check,
    verdict: 'attention',
    detail: `copied as plain files, which is torn when they are written meanwhile: ${names.join(', ')}${more}`,
    fix: 'give each a source of kind sqlite, or exclude it; data of a database server needs the server’s own dump',
  }
}

/** Folders of archives that a symlink leads into a tree: the configuration compares paths only as they are written. */
async function ownArchives(ctx: Context, source: Source, targets: readonly Target[]): Promise<DoctorFinding> {
  const check = `archives in ${source.name}`
  const root = await realpath(source.place.path)
  const folders = targets
    .filter((target) => path.isAbsolute(target.location))
    .map((target) => target.location)
  const real = await Promise.all(folders.map((folder) => realpath(folder).catch(() => folder)))
  const inside = real.filter((folder) => folder === root || isInside(folder, root))
  const suspects = inside.map((folder) => ({ kind: 'folder' as const, path: folder }))
  const [taken] = await takenIn(ctx, source, root, suspects, new Set())
  if (taken === undefined) return { check, verdict: 'ok', detail: 'it takes in no folder of archives' }
  const detail = `it takes in ${taken.path}, so each archive holds the earlier ones`
  return {
    check,
    verdict: 'attention',
    detail,
    fix: 'move the archives, or exclude their folder by its real place',
  }
}

function isDatabase(kind: Sighting['kind']): boolean {
  return kind === 'sqlite' || kind === 'server-data'
}

/** Which of the suspects the source really takes in: only its own snapshot knows its patterns. No content is read. */
async function takenIn(
  ctx: Context,
  source: Source,
  root: string,
  suspects: readonly Sighting[],
  claimed: ReadonlySet<string>,
): Promise<Sighting[]> {
  const open = new Map(suspects.map((suspect) => [path.relative(root, suspect.path), suspect]))
  const taken = suspects.filter((suspect) => suspect.path === root)
  if (open.size === 0) return taken
  await using snapshot = await source.snapshot({
    signal: ctx.signal,
    now: ctx.now,
    scratch: ctx.stateDir,
    claimed,
  })
  for await (const member of snapshot.members()) {
    const suspect = open.get(member.path)
    if (suspect !== undefined) taken.push(suspect)
    open.delete(member.path)
    if (open.size === 0) break
  }
  return taken
}

/** Databases are copied into the state folder before they are sealed. */
async function scratchSpace(stateDir: string, needed: number): Promise<DoctorFinding> {
  const check = 'scratch space'
  const { bavail, bsize } = await statfs(await nearestThere(stateDir))
  const free = bavail * bsize
  const detail = `${sized(free)} free for copies of databases, about ${sized(needed)} needed`
  if (free >= needed) return { check, verdict: 'ok', detail }
  return {
    check,
    verdict: 'fail',
    detail,
    fix: `free some space, or move \`state_dir\` (${stateDir}) to a larger disk`,
  }
}

async function nearestThere(folder: string): Promise<string> {
  for (let at = path.resolve(folder); ; at = path.dirname(at)) {
    const there = await realpath(at).catch(() => undefined)
    if (there !== undefined) return there
    if (at === path.dirname(at)) return at
  }
}

async function takeSnapshots(
  ctx: Context,
  app: string,
  sources: readonly Source[],
  claimed: ReadonlySet<string>,
): Promise<DoctorFinding[]> {
  const findings: DoctorFinding[] = []
  const entering = await attempted(
    'lock',
    async () => {
      await using workplace = await enterWorkplace(ctx, app, 'doctor')
      const { scratch } = workplace
      for (const source of sources) {
        const check = `snapshot of ${source.name}`
        const take = async (): Promise<DoctorFinding> => {
          await using snapshot = await source.snapshot({ signal: ctx.signal, now: ctx.now, scratch, claimed })
          let members = 0
          for await (const _ of snapshot.members()) members += 1
          const { warnings } = snapshot.describe()
          const detail = `works: ${members} ${members === 1 ? 'member' : 'members'}`
          if (warnings.length === 0) return { check, verdict: 'ok', detail }
          const said = warnings.slice(0, 5).map(({ message }) => message)
          return { check, verdict: 'attention', detail: `${detail}; ${said.join('; ')}` }
        }
        findings.push(await attempted(check, take, ctx.signal))
      }
      return { check: 'lock', verdict: 'ok', detail: `no other run works on ${app}` }
    },
    ctx.signal,
  )
  return [entering, ...findings]
}
