import { execFileSync } from 'node:child_process'
import { statfsSync } from 'node:fs'
import { availableParallelism, cpus, release, totalmem } from 'node:os'
import path from 'node:path'
import type { Contestant } from './contestant.ts'

const gibibyte = 2 ** 30

/** What a result depends on beside the programs: one name and one value for each line. */
export function describeMachine(scratch: string, date: Date): readonly (readonly [string, string])[] {
  const processors = cpus()
  const disk = quietly('findmnt', '-no', 'FSTYPE,SOURCE', '-T', scratch).replaceAll(/\s+/g, ' ')
  return [
    ['date', `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`],
    ['processor', `${processors[0]?.model ?? 'unknown'}, ${availableParallelism()} cores`],
    ['memory', `${(totalmem() / gibibyte).toFixed(1)} GiB`],
    ['kernel', `Linux ${release()}`],
    ['disk', `${disk === '' ? 'unknown' : disk}, ${(freeSpace(scratch) / gibibyte).toFixed(0)} GiB free`],
  ]
}

export function freeSpace(folder: string): number {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize
}

/** The versions of Sealift and of each tool that the contestants run. */
export function versionsOf(contestants: readonly Contestant[]): readonly (readonly [string, string])[] {
  const tools = new Set(contestants.flatMap(({ tools }) => Object.keys(tools)))
  const own = [
    ['sealift', versionOf(path.resolve(import.meta.dirname, '../bin/sealift'))],
    ['node', process.versions.node],
  ] as const
  return [...own, ...[...tools].map((tool) => [tool, versionOf(tool)] as const)]
}

function versionOf(tool: string): string {
  const said = quietly(tool, tool === 'restic' ? 'version' : '--version')
  return /\d+\.\d[\w.-]*/.exec(said)?.[0] ?? 'unknown'
}

/** Debian packages of what is not there, each once. */
export function missingPackages({ tools }: Contestant): string[] {
  const missing = Object.entries(tools).filter(([tool]) => quietly('which', tool) === '')
  return [...new Set(missing.map(([, name]) => name))]
}

/** What a command prints, or nothing. */
function quietly(command: string, ...args: string[]): string {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return ''
  }
}
