import { rivals, sealift } from './contestant.ts'
import type { Footprint } from './footprint.ts'
import { median } from './timing.ts'
import type { Timing, Verb } from './timing.ts'

/** All that a run measured; what it left out is empty. */
export interface Measured {
  readonly timings: readonly Timing[]
  readonly footprints: readonly Footprint[]
  /** Seconds of each `sealift --help`. */
  readonly help: readonly number[]
}

export interface Verdict {
  readonly requirement: string
  readonly measured: string
  readonly met: boolean | undefined
}

const mebibyte = 2 ** 20
const footprintLimit = 256
const helpLimitMs = 150
/** How many times as fast as a rival Sealift has to be, by the median. */
const factors: readonly (readonly [Verb, keyof typeof rivals, number])[] = [
  ['backup', 'gpg', 10],
  ['backup', 'restic', 2],
  ['backup', 'borg', 1.3],
  ['backup', 'age', 1.1],
  ['restore', 'gpg', 5],
  ['restore', 'restic', 1.5],
]
/** What a backup may take of the time of compression alone. */
const limitFactor = 1.25

/** Compares what was measured with what is required. What was not measured is neither met nor not met. */
export function judge(measured: Measured): Verdict[] {
  const seconds = (verb: Verb, contestant: string): number => medianOf(measured.timings, verb, contestant)
  const faster = factors.map(([verb, rival, factor]): Verdict => {
    const ratio = seconds(verb, rivals[rival].name) / seconds(verb, sealift.name)
    return verdict(`${verb} ${factor}× as fast as ${rivals[rival].name}`, ratio, '×', ratio >= factor)
  })
  const share = seconds('backup', sealift.name) / seconds('backup', rivals.limit.name)
  const limit = verdict(
    `backup in at most ${limitFactor}× the time of ${rivals.limit.name}`,
    share,
    '×',
    share <= limitFactor,
  )
  const peaks = measured.footprints.map(({ verb, data, peak }): Verdict => {
    const size = `${(data / mebibyte / 1024).toFixed(data < 1024 * mebibyte ? 2 : 0)} GiB`
    const used = peak / mebibyte
    return verdict(
      `${verb} of ${size} in at most ${footprintLimit} MiB`,
      used,
      ' MiB',
      used <= footprintLimit,
      0,
    )
  })
  const help = median(measured.help) * 1000
  return [
    ...faster,
    limit,
    ...peaks,
    verdict(`sealift --help within ${helpLimitMs} ms`, help, ' ms', help <= helpLimitMs, 0),
  ]
}

export function medianOf(timings: readonly Timing[], verb: Verb, contestant: string): number {
  const timing = timings.find((each) => each.verb === verb && each.contestant === contestant)
  return median(timing?.seconds ?? [])
}

function verdict(requirement: string, value: number, unit: string, met: boolean, digits = 2): Verdict {
  if (Number.isNaN(value)) return { requirement, measured: 'not measured', met: undefined }
  return { requirement, measured: `${value.toFixed(digits)}${unit}`, met }
}
