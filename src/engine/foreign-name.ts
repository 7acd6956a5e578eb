import { createHash } from 'node:crypto'
import type { Format } from '../formats/format.ts'
import type { ForeignName } from '../profiles/foreign.ts'
import type { Profile } from '../profiles/profile.ts'
import type { Context } from './context.ts'

/** A file that is an archive of an application by its name, and that another program wrote or reads. */
export interface NamedForeign extends ForeignName {
  readonly format: Format
  readonly profile: Profile
}

/**
 * What the name of a file at a target says of it: with a profile only if it is one of that application's, else if any
 * application that this program knows has such names.
 */
export function foreignNamed(ctx: Context, name: string, profile?: Profile): NamedForeign | undefined {
  for (const one of profile === undefined ? Object.values(ctx.profiles) : [profile]) {
    const said = one.foreign?.named(name)
    const format = ctx.formats.find((f) => f.name === one.foreign?.format)
    if (said !== undefined && format !== undefined) return { ...said, format, profile: one }
  }
  return undefined
}

/** The id that reports and the catalogue know a foreign archive by: it has none, and its name is what stays the same. */
export function foreignId(name: string): string {
  return createHash('sha256').update(`sealift foreign archive\0${name}`).digest('hex').slice(0, 32)
}
