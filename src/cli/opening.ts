import type { OpenKey } from '../engine/context.ts'
import type { Application } from '../engine/context.ts'
import { openKeys } from './keys.ts'
import type { OpenOptions } from './keys.ts'
import type { Job } from './session.ts'
import type { Configured } from './world.ts'

/** What every verb that opens an archive is given. The keys are asked for only once the archive is found. */
export interface Opening {
  readonly archive: string
  readonly application?: Application
  readonly keys: () => Promise<readonly OpenKey[]>
}

export function opening(
  job: Job,
  archive: string,
  options: OpenOptions,
  configured: Configured | undefined,
): Opening {
  return {
    archive,
    ...(configured === undefined ? {} : { application: configured.application }),
    async keys() {
      job.renderer.pause()
      return openKeys(job.world, options, configured?.seal)
    },
  }
}

/** What a command says of its archive argument. */
export const archiveArgument = [
  '<archive>',
  'latest, an id or its first digits, a name, a path, or - for standard input',
] as const
