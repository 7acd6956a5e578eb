import type { Contestant } from './contestant.ts'
import type { Surroundings } from './script.ts'
import { Stage } from './stage.ts'
import type { Timing, Verb } from './timing.ts'

export interface RoundsOptions {
  readonly contestants: readonly Contestant[]
  readonly verbs: readonly Verb[]
  readonly rounds: number
  readonly around: Surroundings
  readonly say: (text: string) => void
}

/**
 * Lets the contestants run in turn, round after round, so that whatever else the machine does meets all of them. What a
 * contestant restored is compared with the data in the first round.
 */
export async function runRounds(options: RoundsOptions): Promise<Timing[]> {
  const { contestants, verbs, rounds, say } = options
  const timings = new Map<string, Timing>()
  for (let round = 1; round <= rounds; round += 1) {
    for (const contestant of contestants) {
      if (!verbs.includes('backup') && contestant.restore === undefined) continue
      for (const { verb, script, seconds, stored } of await runOnce(contestant, options, round === 1)) {
        const key = `${verb} ${contestant.name}`
        const before = timings.get(key)?.seconds ?? []
        timings.set(key, {
          contestant: contestant.name,
          verb,
          script,
          seconds: [...before, ...seconds],
          stored,
        })
        const took = `${seconds.map((each) => each.toFixed(2)).join()} s`
        say(`round ${round}/${rounds}  ${verb.padEnd(7)}  ${took.padStart(8)}  ${contestant.name}\n`)
      }
    }
  }
  return [...timings.values()]
}

async function runOnce(
  contestant: Contestant,
  { verbs, around }: RoundsOptions,
  first: boolean,
): Promise<Timing[]> {
  const { name, backup, restore } = contestant
  const timings: Timing[] = []
  await using stage = await Stage.enter(contestant, around)
  const backupSeconds = await stage.run(backup)
  const stored = await stage.stored()
  if (verbs.includes('backup'))
    timings.push({ contestant: name, verb: 'backup', script: backup, seconds: [backupSeconds], stored })
  if (!verbs.includes('restore') || restore === undefined) return timings
  const seconds = [await stage.restore(restore)]
  timings.push({ contestant: name, verb: 'restore', script: restore, seconds, stored })
  if (first) await stage.compare()
  return timings
}
