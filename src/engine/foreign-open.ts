import path from 'node:path'
import { inspectHeader } from '../archive/index.ts'
import type { OpenKey } from '../archive/index.ts'
import { isSealiftError, SealiftError } from '../errors.ts'
import type { Format } from '../formats/format.ts'
import type { ForeignArchives } from '../profiles/foreign.ts'
import type { Profile } from '../profiles/profile.ts'
import type { Secret } from '../secret.ts'
import type { StoredReader } from '../targets/target.ts'
import type { Application, Context } from './context.ts'
import { convert } from './foreign-convert.ts'
import type { Conversion, Converted } from './foreign-convert.ts'
import { foreignNamed } from './foreign-name.ts'
import type { FoundArchive } from './found-archive.ts'

/** The format of an archive that is not Sealift's own: by its first bytes, and by its name where they say nothing. */
export async function formatOf(
  ctx: Context,
  reader: StoredReader,
  name: string,
): Promise<Format | undefined> {
  const head = await reader.read(0, 16)
  const format = ctx.formats.find((one) => one.recognises(head))
  const named = ctx.formats.find((one) => name.endsWith(one.ending))
  if (format !== undefined || named === undefined) return format
  try {
    await inspectHeader(reader)
    return undefined
  } catch (error) {
    if (isSealiftError(error, 'NOT_AN_ARCHIVE')) return named
    throw error
  }
}

/** What the sources of a foreign archive are held to. */
export interface Home {
  readonly application?: Application
  /** The application's own folder on this machine, for an archive that does not say where its sources lay. */
  readonly folder?: string
}

/** A found foreign archive as a sealed one. The caller closes both. Errors of `convert`; USAGE. */
export async function convertFound(
  ctx: Context,
  home: Home,
  found: Pick<FoundArchive, 'reader' | 'name'>,
  format: Format,
  keys: readonly OpenKey[],
): Promise<Converted> {
  const name = path.basename(found.name)
  const { profile, foreign, application } = readerFor(ctx, name, format, home.application)
  const said = foreign.named(name)
  const conversion = (): Conversion => ({
    reader: found.reader,
    name,
    format,
    profile,
    reading: foreign.read(),
    app: application?.app ?? profile.name,
    ...(said === undefined ? {} : { takenAt: said.takenAt }),
    configured: new Map((application?.sources ?? []).map((source) => [source.name, source.place.path])),
    ...(home.folder === undefined ? {} : { folder: home.folder }),
  })
  return await withPassphrase(name, format, keys, (passphrase) => convert(ctx, conversion(), passphrase))
}

/** Tries each passphrase that is among the keys. USAGE where there is none. */
export async function withPassphrase<Result>(
  name: string,
  format: Format,
  keys: readonly OpenKey[],
  work: (passphrase: Secret) => Promise<Result>,
): Promise<Result> {
  const passphrases = keys.flatMap((key) => (key.type === 'passphrase' ? [key.passphrase] : []))
  const last = passphrases.pop()
  if (last === undefined) {
    const reason = `${name} is an archive of ${format.name}: it opens with a passphrase, not with a secret key`
    throw new SealiftError('USAGE', { reason })
  }
  for (const passphrase of passphrases) {
    try {
      return await work(passphrase)
    } catch (error) {
      if (!isSealiftError(error, 'GPG_PASSPHRASE_WRONG')) throw error
    }
  }
  return await work(last)
}

/** Whose archive it is: the configured application's, else by its name, else the only one that has such archives. */
function readerFor(
  ctx: Context,
  name: string,
  format: Format,
  application: Application | undefined,
): { profile: Profile; foreign: ForeignArchives; application?: Application } {
  const configured = application?.profile.foreign
  if (application !== undefined && configured?.format === format.name)
    return { profile: application.profile, foreign: configured, application }
  const named = foreignNamed(ctx, name)?.profile
  const able = Object.values(ctx.profiles).filter((one) => one.foreign?.format === format.name)
  const profile = named ?? (able.length === 1 ? able[0] : undefined)
  if (profile?.foreign === undefined) {
    const reason = `the name ${name} does not say which application it is of: give it the name that it had, or use the application’s sealift.yaml`
    throw new SealiftError('USAGE', { reason })
  }
  return { profile, foreign: profile.foreign }
}
