import { readdirSync } from 'node:fs'
import path from 'node:path'
import { rivals, sealift } from './contestant.ts'
import type { Contestant } from './contestant.ts'
import { mebibyte, multiplyData, writeData } from './data.ts'
import { measureFootprint } from './footprint.ts'
import type { Footprint } from './footprint.ts'
import { enterGround } from './ground.ts'
import type { Ground } from './ground.ts'
import { describeMachine, freeSpace, missingPackages, versionsOf } from './machine.ts'
import type { Options } from './options.ts'
import type { ResultsInput } from './results.ts'
import { runRounds } from './rounds.ts'
import { runScript } from './script.ts'

const largeTimes = 8
const helpTimes = 20
/** Room for data, its backup and what was restored of it, as a multiple of the data. */
const roomFactor = 2.7

/** Runs what the options ask for. Everything lies in one temporary folder, which is removed however it ends. */
export async function runBenchmark(
  options: Options,
  signal: AbortSignal,
  say: (text: string) => void,
): Promise<Omit<ResultsInput, 'command' | 'rounds'>> {
  const { size, rounds, only } = options
  const { contestants, absent } = gather()
  for (const line of absent) say(`not measured: ${line}\n`)
  await using ground = await enterGround(signal)
  refuseSmallDisk(ground, size)
  const parent = path.join(ground.folder, 'small')
  const data = path.join(parent, 'data')
  say(`writing ${size} MiB of data\n`)
  const bytes = writeData(data, size)
  const around = ground.around(parent)
  const verbs = (['backup', 'restore'] as const).filter((verb) => only.includes(verb))
  const timings = verbs.length === 0 ? [] : await runRounds({ contestants, verbs, rounds, around, say })
  const footprints: Footprint[] = []
  if (only.includes('memory')) {
    say('memory\n')
    footprints.push(...(await measureFootprint(bytes, around)))
    if (!options.quick) footprints.push(...(await measureLarge(ground, data, bytes)))
  }
  const help = only.includes('help') ? await measureHelp(ground) : []
  return {
    timings,
    footprints,
    help,
    data: { bytes, files: countFiles(data) },
    machine: describeMachine(ground.folder, new Date()),
    versions: versionsOf(contestants),
    contestants,
    absent,
  }
}

/** Who can take part here, and a line for each who cannot. */
function gather(): { contestants: Contestant[]; absent: string[] } {
  const absent: string[] = []
  const contestants = [...Object.values<Contestant>(rivals), sealift].filter((contestant) => {
    const packages = missingPackages(contestant)
    if (packages.length === 0) return true
    absent.push(`${contestant.name} (as root: apt-get install -y ${packages.join(' ')})`)
    return false
  })
  return { contestants, absent }
}

function refuseSmallDisk({ folder }: Ground, size: number): void {
  const needed = size * mebibyte * roomFactor
  const free = freeSpace(folder)
  if (free >= needed) return
  const inMebibytes = (bytes: number): string => `${Math.ceil(bytes / mebibyte)} MiB`
  throw new Error(
    `${folder} has ${inMebibytes(free)} free, and ${inMebibytes(needed)} are needed; set TMPDIR, or use --size or --quick`,
  )
}

async function measureLarge(ground: Ground, data: string, bytes: number): Promise<Footprint[]> {
  refuseSmallDisk(ground, (bytes / mebibyte) * largeTimes)
  const parent = path.join(ground.folder, 'large')
  multiplyData(data, largeTimes, path.join(parent, 'data'))
  return measureFootprint(bytes * largeTimes, ground.around(parent))
}

/** Seconds of each `sealift --help`, after one that is not counted. */
async function measureHelp(ground: Ground): Promise<number[]> {
  const seconds: number[] = []
  for (let left = helpTimes; left >= 0; left -= 1)
    seconds.push(await runScript('exec sealift --help', ground.around(ground.folder)))
  return seconds.slice(1)
}

function countFiles(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    .length
}
