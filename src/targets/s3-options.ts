import { z } from 'zod'

/** Classes whose objects are read at once: a copy that has to be thawed for hours could not be read back. */
const storageClasses = [
  'STANDARD',
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'GLACIER_IR',
  'REDUCED_REDUNDANCY',
] as const

/**
 * What `sealift.yaml` says of a target `s3`. Credentials never stand there: they come by the default chain of the AWS
 * SDK (environment, shared files and profiles, single sign-on, web identity, container and instance roles).
 */
export const s3Options = z.strictObject({
  bucket: z
    .string()
    .regex(
      /^[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]$/,
      'must be the name of a bucket: 3 to 63 letters, digits, `.`, `_` and `-`',
    )
    .describe('The bucket. It must exist.'),
  prefix: z
    .string()
    .regex(
      /^[A-Za-z0-9!_.*'()-]+(\/[A-Za-z0-9!_.*'()-]+)*\/?$/,
      "must be parts of letters, digits and `!_.*'()-` with `/` between them, and none at the beginning",
    )
    .max(512)
    .optional()
    .describe('What the key of each archive begins with, like a folder: `backups/notes`.'),
  endpoint: z
    .string()
    .regex(
      /^https?:\/\/[^\s/?#@]+(\/[^\s?#@]*)?$/,
      'must be an http:// or https:// URL without a user, a password or a query',
    )
    .optional()
    .describe('The server, for storage that is not Amazon’s: `https://s3.example.org`.'),
  region: z
    .string()
    .regex(/^[A-Za-z0-9-]{1,63}$/, 'must be letters, digits and `-`')
    .optional()
    .describe('The region. Without it that of the environment or the AWS profile.'),
  path_style: z
    .boolean()
    .optional()
    .describe('Whether the bucket stands in the path and not in the host name. With an `endpoint` it does.'),
  storage_class: z
    .enum(storageClasses)
    .optional()
    .describe('The storage class of the archives. Without it that of the bucket.'),
})

export type S3Options = z.infer<typeof s3Options>
