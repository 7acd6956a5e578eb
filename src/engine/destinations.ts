import { lstat, readdir, readFile, realpath } from 'node:fs/promises'
import path from 'node:path'
import { SealiftError, systemCode } from '../errors.ts'
import type { Context } from './context.ts'
import { exists } from './swap.ts'
import type { Unit } from './units.ts'
import { compactTime } from './time.ts'

/** What is at a destination now. `mount`: the folder cannot be renamed away, only its content can. */
export interface Standing {
  readonly kind: 'nothing' | 'file' | 'folder' | 'mount'
  readonly populated: boolean
}

/**
 * Where a unit is staged and where the old state goes. Both lie on the destination's own file system, so that going
 * live is a rename. A unit inside another unit's destination is `nested`: it goes live right after the outer one, whose
 * old state holds its own.
 */
export interface Destination extends Unit {
  readonly staged: string
  readonly nested: boolean
  readonly standing: Standing
  /** The staging and the dated folder of this destination. */
  readonly stagingFolder: string
  readonly asideFolder: string
}

/** Names of ours, and of file systems, that never count as content of a folder. */
const passedOver = /^(lost\+found|pre-restore-\d{8}T\d{6}Z.*|\.sealift-restore-[0-9a-f]+)$/

export function isPassedOver(name: string): boolean {
  return passedOver.test(name)
}

/** Looks at every destination and decides how each is replaced. DESTINATION_REFUSED for a symlink or a special file. */
export async function planDestinations(
  ctx: Context,
  run: string,
  units: readonly Unit[],
): Promise<Destination[]> {
  const dated = `pre-restore-${compactTime(ctx.now())}`
  const destinations: Destination[] = []
  const outerFirst = units.toSorted((a, b) => a.destination.length - b.destination.length)
  for (const unit of outerFirst) {
    const standing = await look(unit.destination)
    const outer = destinations.findLast((other) => isInside(unit.destination, other.destination))
    if (outer !== undefined) {
      const inner = `inner-${destinations.length}`
      const staged = path.join(outer.stagingFolder, inner, path.basename(unit.destination))
      destinations.push({ ...outer, ...unit, staged, nested: true, standing })
      continue
    }
    const base =
      standing.kind === 'mount' ? unit.destination : await nearestReal(path.dirname(unit.destination))
    const stagingFolder = path.join(base, `.sealift-restore-${run}`)
    const staged = path.join(stagingFolder, path.basename(unit.destination))
    const asideFolder = await unused(path.join(base, dated))
    destinations.push({ ...unit, staged, nested: false, standing, stagingFolder, asideFolder })
  }
  return destinations
}

/** The same staged file, to go live under another name in the same folder. */
export async function redirect(destination: Destination, name: string): Promise<Destination> {
  const beside = path.join(path.dirname(destination.destination), name)
  return { ...destination, destination: beside, standing: await look(beside) }
}

/** A dated folder of this restore's own, also for the second one in the same second. */
async function unused(folder: string): Promise<string> {
  for (let copy = 1; ; copy++) {
    const name = copy === 1 ? folder : `${folder}-${copy}`
    if (!(await exists(name))) return name
  }
}

async function look(destination: string): Promise<Standing> {
  try {
    const stat = await lstat(destination)
    if (stat.isSymbolicLink()) {
      const real = await realpath(destination).catch(() => 'nothing')
      const reason = `it is a symlink to ${real}; name the real place in sealift.yaml, or use --to DIR`
      throw new SealiftError('DESTINATION_REFUSED', { path: destination, reason })
    }
    if (stat.isFile()) return { kind: 'file', populated: true }
    if (!stat.isDirectory()) {
      throw new SealiftError('DESTINATION_REFUSED', {
        path: destination,
        reason: 'it is neither a file nor a folder',
      })
    }
    const populated = (await readdir(destination)).some((name) => !isPassedOver(name))
    const parent = await lstat(path.dirname(destination))
    const movable = parent.dev === stat.dev && !(await isMountPoint(destination))
    return { kind: movable ? 'folder' : 'mount', populated }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return { kind: 'nothing', populated: false }
    throw error
  }
}

/** A bind mount of the same file system has the parent's device number: only the mount table tells. */
async function isMountPoint(folder: string): Promise<boolean> {
  const real = await realpath(folder)
  const table = await readMounts()
  return table.includes(real)
}

async function readMounts(): Promise<string[]> {
  try {
    const table = await readFile('/proc/self/mountinfo', 'utf8')
    return table.split('\n').map((line) => (line.split(' ')[4] ?? '').replaceAll(/\\(\d{3})/g, octal))
  } catch {
    return []
  }
}

function octal(_: string, digits: string): string {
  return String.fromCodePoint(Number.parseInt(digits, 8))
}

/** The nearest folder that exists, at or above `folder`: where staging can lie on the right file system. */
async function nearestReal(folder: string): Promise<string> {
  for (let at = folder; ; at = path.dirname(at)) {
    try {
      if ((await lstat(at)).isDirectory() || at === path.dirname(at)) return at
      return await realpath(at)
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error
    }
  }
}

export function isInside(inner: string, outer: string): boolean {
  return inner !== outer && inner.startsWith(outer.endsWith('/') ? outer : `${outer}/`)
}
