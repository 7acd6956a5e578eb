import { sealift } from './contestant.ts'
import { TreePeak } from './memory.ts'
import type { Surroundings } from './script.ts'
import { Stage } from './stage.ts'
import type { Verb } from './timing.ts'

/** The peak memory of Sealift on data of one size. */
export interface Footprint {
  readonly verb: Verb
  /** Bytes of data. */
  readonly data: number
  readonly peak: number
}

/** Backs the data up and restores it once, and watches the memory of both. */
export async function measureFootprint(data: number, around: Surroundings): Promise<Footprint[]> {
  await using stage = await Stage.enter(sealift, around)
  const peakOf = async (run: (watch: (pid: number) => void) => Promise<number>): Promise<number> => {
    using peaks = new DisposableStack()
    let peak: TreePeak | undefined
    await run((pid) => (peak = peaks.use(new TreePeak(pid))))
    return peak?.bytes ?? Number.NaN
  }
  const backup = await peakOf((watch) => stage.run(sealift.backup, watch))
  const restore = await peakOf((watch) => stage.restore(sealift.restore ?? '', watch))
  return [
    { verb: 'backup', data, peak: backup },
    { verb: 'restore', data, peak: restore },
  ]
}
