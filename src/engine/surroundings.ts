import type { Surroundings } from '../profiles/profile.ts'
import type { Application, Context } from './context.ts'

/** What a profile's guards may ask of this machine. */
export function surroundingsOf(
  { programs }: Context,
  application: Pick<Application, 'keyFiles'> | undefined,
): Surroundings {
  return {
    output: (command, signal) => programs.output(command, signal),
    keyFiles: application?.keyFiles ?? [],
  }
}
