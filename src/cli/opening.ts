import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import type { Application, OpenKey } from '../engine/context.ts'
import { parseMoment } from './moment.ts'
import { openKeys } from './keys.ts'
import type { OpenOptions } from './keys.ts'
import { collect } from './options.ts'
import type { Job } from './session.ts'
import type { Configured } from './world.ts'

/** The ways of a command line to say which archive is meant. */
export interface ChoiceOptions {
  readonly before?: string
  readonly allowLater?: boolean
  readonly from?: readonly string[]
}

/** `--before`, `--allow-later` and `--from`. */
export function withChoice(command: Command): Command {
  return withFolders(command)
    .option('--before <time>', 'only an archive of a state from before this moment')
    .option('--allow-later', 'with --before: take the archive that is named all the same')
}

/** `--from`. */
export function withFolders(command: Command): Command {
  return command.option('--from <folder>', 'look in this folder, too (repeatable)', collect)
}

/** What every verb that opens an archive is given. The keys are asked for only once the archive is found. */
export interface Opening {
  readonly archive: string
  readonly application?: Application
  readonly from: () => Promise<Application['targets']>
  readonly before?: Date
  readonly allowLater: boolean
  readonly keys: () => Promise<readonly OpenKey[]>
}

export function opening(
  job: Job,
  archive: string,
  options: OpenOptions & ChoiceOptions,
  configured: Configured | undefined,
): Opening {
  let keys: Promise<readonly OpenKey[]> | undefined
  const { before, allowLater = false } = options
  return {
    archive,
    ...(configured === undefined ? {} : { application: configured.application }),
    from: () => folders(job, options.from ?? []),
    ...(before === undefined ? {} : { before: parseMoment(before, '--before') }),
    allowLater,
    keys() {
      // Once for all who ask: a terminal and a descriptor can be read only once.
      if (keys === undefined) {
        job.renderer.pause()
        keys = openKeys(job.world, options, configured?.seal)
      }
      return keys
    },
  }
}

/** Folders as places of archives. One that is not there holds nothing: it is told, and the others serve. */
export async function folders(job: Job, paths: readonly string[]): Promise<Application['targets']> {
  const places: Application['targets'][number][] = []
  for (const path of paths) {
    if (!existsSync(path)) {
      const message = `there is no folder ${path}`
      job.renderer.event({ type: 'warning', code: 'folder-missing', message })
    }
    places.push(await job.world.openFolder(path))
  }
  return places
}

/** What a command says of its archive argument. */
export const archiveArgument = [
  '<archive>',
  'latest, an id or its first digits, a name, a path, or - for standard input',
] as const
