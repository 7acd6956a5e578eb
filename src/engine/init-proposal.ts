import { SealiftError } from '../errors.ts'
import type { Profile } from '../profiles/profile.ts'
import type { Proposal } from '../profiles/proposal.ts'
import type { Context } from './context.ts'
import type { InitPlan } from './init-plan.ts'

/** What a profile says of a folder. */
export interface Recognised {
  readonly profile: string
  readonly proposal: Proposal
}

/**
 * Asks the profile that was named, or else each one, whether an application of its kind lies in the folder. `undefined`
 * where none says so, and where `generic` was asked for. USAGE for a profile that is not known or finds nothing there.
 */
export async function recognise(
  { profiles }: Pick<Context, 'profiles'>,
  folder: string,
  named: string | undefined,
): Promise<Recognised | undefined> {
  if (named !== undefined) {
    const profile = profiles[named]
    if (profile === undefined) {
      const reason = `there is no profile ${named}; there are ${Object.keys(profiles).join(', ')}`
      throw new SealiftError('USAGE', { reason })
    }
    if (profile.propose === undefined) return undefined
    const found = await ask(profile, folder)
    if (found === undefined) throw new SealiftError('USAGE', { reason: `${folder} is no ${profile.title}` })
    return found
  }
  for (const profile of Object.values(profiles)) {
    const found = await ask(profile, folder)
    if (found !== undefined) return found
  }
  return undefined
}

async function ask(profile: Profile, folder: string): Promise<Recognised | undefined> {
  const proposal = await profile.propose?.(folder)
  return proposal === undefined ? undefined : { profile: profile.name, proposal }
}

/** A proposal as a plan for the text of a configuration. */
export function planOf({ profile, proposal }: Recognised, app: string | undefined): InitPlan {
  const { about, sources, leftOut, target, passphraseFile, retention } = proposal
  return {
    app: app ?? proposal.app,
    profile,
    about,
    sources: sources.map((source) => ({ ...source, exclude: source.exclude ?? [] })),
    found: [],
    leftOut: leftOut.map(({ what, why, loud }) => ({ path: what, reason: why, loud })),
    template: false,
    target,
    passphraseFile,
    retention,
  }
}
