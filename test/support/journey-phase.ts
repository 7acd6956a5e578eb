import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs'
import type { RestoreJournal } from '../../src/engine/journal.ts'
import type { World } from './journey-world.ts'

/** How far a killed run had come, as the disk shows it before anything else starts. */
export type Phase =
  'start' | 'locked' | 'snapshot' | 'seal' | 'commit' | 'staging' | 'swapping' | 'tidying' | 'done'

/** The phase of a killed backup; `before` are the archives that were there when it began. */
export function phaseOfBackup(world: World, before: number): Phase {
  const names = readdirSync(world.join('archives'))
  const part = names.some((name) => name.endsWith('.part'))
  const committed = names.filter((name) => name.endsWith('.sealift')).length > before
  if (committed) return part ? 'commit' : 'done'
  if (part) return 'seal'
  const scratch = world.join('state/scratch/notes')
  if (existsSync(scratch) && readdirSync(scratch).length > 0) return 'snapshot'
  return isLocked(world) ? 'locked' : 'start'
}

/** The phase of a killed restore or extract. */
export function phaseOfRestore(world: World, isDone: boolean): Phase {
  const journal = journalsOf(world).at(0)
  if (journal?.state === 'staging') return 'staging'
  if (journal !== undefined) return isSwapped(journal) ? 'tidying' : 'swapping'
  if (isDone) return 'done'
  return isLocked(world) ? 'locked' : 'start'
}

export function journalsOf(world: World): RestoreJournal[] {
  const folder = world.join('state/journal')
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(`${folder}/${name}`, 'utf8')) as RestoreJournal)
}

function isSwapped({ moves }: RestoreJournal): boolean {
  return moves.every(
    ({ kind, from }) => kind === 'aside' || lstatSync(from, { throwIfNoEntry: false }) === undefined,
  )
}

function isLocked(world: World): boolean {
  const locks = world.join('state/locks')
  return existsSync(locks) && readdirSync(locks).some((name) => name.includes('.holder.json'))
}

/** Counts of phases, for the summary of a harness. */
export class Tally {
  readonly #counts = new Map<string, number>()

  add(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1)
  }

  count(what: string): number {
    return this.#counts.get(what) ?? 0
  }

  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0)
  }

  get text(): string {
    return [...this.#counts].map(([what, count]) => `${what} ${count}`).join(', ')
  }
}
