import type { Surroundings } from '../profiles/profile.ts'
import type { Context } from './context.ts'

/** What a profile's guards may ask of this machine. */
export function surroundingsOf({ programs }: Pick<Context, 'programs'>): Surroundings {
  return { output: (command, signal) => programs.output(command, signal) }
}
