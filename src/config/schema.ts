import { z } from 'zod'
import { durationText, optionalDuration } from './duration.ts'

/** The option schemas of the drivers by kind: objects that know nothing of `name` and `kind`. */
export type OptionSchemas = Readonly<Record<string, z.ZodObject>>

export interface SchemaInput {
  readonly sourceOptions: OptionSchemas
  readonly targetOptions: OptionSchemas
  readonly profiles: readonly string[]
  /** What a line of the compliance table can rest on. */
  readonly grounds: readonly string[]
}

const appName = /^[a-z0-9][a-z0-9-]{0,62}$/
/** Also keeps out `MANIFEST.json` and `SHA256SUMS`, which each archive uses itself (archive-v1 §5). */
const plugName = /^[a-z0-9][a-z0-9._-]{0,62}$/
const recipientText = /^sealift-recipient-v1:[A-Za-z0-9_-]{1622}$/

const pathText = z.string().min(1)
const keep = (what: string): z.ZodOptional<z.ZodInt> =>
  z.int().min(0).max(10_000).optional().describe(`How many archives to keep: ${what}.`)

/**
 * The schema of `sealift.yaml` (after references were replaced) from what the composition root hands in. Descriptions
 * become the editor's help through `json-schema.ts`.
 */
export function configSchema({ sourceOptions, targetOptions, profiles, grounds }: SchemaInput) {
  return z.strictObject({
    version: z.literal(1).describe('The version of this file’s shape.'),
    app: z
      .string()
      .regex(appName, 'must be 1 to 63 small letters, digits and `-`, and begin with a letter or digit')
      .describe('The name of the application: part of each archive’s name and of the lock.'),
    profile: z.enum(profiles).default('generic').describe('What Sealift knows of the application.'),
    state_dir: pathText
      .optional()
      .describe('Private folder of this installation: locks, journals, scratch and the catalogue.'),
    sources: plugs(sourceOptions, 'source').describe('Where the data comes from.'),
    targets: plugs(targetOptions, 'target').describe(
      'Where archives go: the first is written, the others get a copy.',
    ),
    seal: z
      .strictObject({
        passphrase_file: pathText
          .optional()
          .describe(
            'A file with the passphrase on one line: mode 0400 or 0600, owned by root or the caller.',
          ),
        recipients: z
          .array(z.string().regex(recipientText, 'is no recipient'))
          .max(16)
          .default([])
          .describe(
            'Public keys that can open the archives: `sealift-recipient-v1:…`, from `sealift keygen`.',
          ),
        compression: z.enum(['zstd', 'none']).default('zstd').describe('How archives are compressed.'),
      })
      .default({ recipients: [], compression: 'zstd' })
      .describe('How archives are sealed.'),
    retention: z
      .strictObject({
        keep_last: keep('the newest'),
        keep_daily: keep('the last of a day'),
        keep_weekly: keep('the last of a week'),
        keep_monthly: keep('the last of a month'),
        keep_yearly: keep('the last of a year'),
        keep_within: optionalDuration('Keep what is not older than this: `30d`.'),
        keep_newest_verified: z
          .int()
          .min(0)
          .max(10_000)
          .optional()
          .describe(
            'This many of the newest verified archives stay in any case: 7 with `keep_within`, else 1.',
          ),
        keep_at_most: z
          .int()
          .min(1)
          .max(10_000)
          .optional()
          .describe('Of what the rules keep, at most this many.'),
        after_backup: z
          .boolean()
          .optional()
          .describe('Whether every backup that was read back and is good ends with retention.'),
      })
      .optional()
      .describe('What `sealift prune` keeps. Without it nothing is pruned.'),
    objectives: z
      .strictObject({
        rpo: durationText('24h', 'How old the newest verified backup may be.'),
        rto: durationText('15m', 'How long a restore may take, from finding the archive to checked data.'),
        drill_every: durationText('92d', 'How long ago the last drill may be.'),
      })
      .default({ rpo: '24h', rto: '15m', drill_every: '92d' })
      .describe('What `sealift report` and `sealift drill` measure by.'),
    status_file: pathText
      .optional()
      .describe('Where the standing is written after each run, for a monitor. Default: in the state folder.'),
    controls: z
      .array(
        z.strictObject({
          control: z.string().min(1).max(60).describe('What the line is called: `ISO 27001 A.8.13`.'),
          asks: z.string().min(1).max(200).describe('What it asks for.'),
          rests_on: z.array(z.enum(grounds)).min(1).describe('What it is judged by.'),
        }),
      )
      .max(20)
      .optional()
      .describe('The compliance table of `sealift report`, in the place of the profile’s.'),
  })
}

export type ConfigSchema = ReturnType<typeof configSchema>

const offHost = z
  .enum(['flagged', 'required'])
  .optional()
  .describe(
    'What happens while this target lies on a disk of the application: reports say so, or it is refused.',
  )

function plugs(options: OptionSchemas, noun: 'source' | 'target') {
  const name = z
    .string()
    .regex(
      plugName,
      'must be 1 to 63 small letters, digits, `.`, `_` and `-`, and begin with a letter or digit',
    )
    .describe(`The name of this ${noun}.`)
  const also: { off_host?: typeof offHost } = noun === 'target' ? { off_host: offHost } : {}
  const kinds = Object.entries(options).map(([kind, schema]) =>
    schema.safeExtend({ name, kind: z.literal(kind).describe(`The kind of ${noun}.`), ...also }).strict(),
  )
  const [first, ...others] = kinds
  if (first === undefined) throw new RangeError(`no kind of ${noun} was handed in`)
  return z.array(z.discriminatedUnion('kind', [first, ...others])).min(1)
}
