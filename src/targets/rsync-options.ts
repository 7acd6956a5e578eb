import { z } from 'zod'

const file = (what: string) =>
  z
    .string()
    .regex(/^[^"%\p{Cc}]+$/u, 'must be a path without `"`, `%` and control characters')
    .optional()
    .describe(what)

/**
 * What `sealift.yaml` says of a target `rsync`. What would mean something to a shell, to ssh or to rsync itself is
 * refused, so that no version of them has to be trusted to quote it.
 */
export const rsyncOptions = z.strictObject({
  host: z
    .string()
    .regex(
      /^([A-Za-z0-9][A-Za-z0-9._-]*|[0-9A-Fa-f]*:[0-9A-Fa-f:.]+)$/,
      'must be the name or the address of a host',
    )
    .describe('The host, or a name that the configuration of ssh knows.'),
  user: z
    .string()
    .regex(/^[A-Za-z0-9_][A-Za-z0-9._-]*$/, 'must be the name of a user')
    .optional()
    .describe('The user there. Without it that of the configuration of ssh, or the own.'),
  port: z.int().min(1).max(65535).optional().describe('The port of the SSH server.'),
  folder: z
    .string()
    .regex(/^[A-Za-z0-9._/][A-Za-z0-9._/@+=,-]*$/, 'must be a path of letters, digits and `._/@+=,-`')
    .describe('The folder on the other host, from the user’s home unless it begins with `/`. It must exist.'),
  ssh_key_file: file('The private key, which has no passphrase. Without it those of ssh and its agent.'),
  known_hosts_file: file('The file with the host’s key. Without it that of ssh.'),
  rsync_path: z
    .string()
    .regex(/^[A-Za-z0-9_./-]+$/, 'must be the path of a program')
    .optional()
    .describe('The program rsync on the other host, where it is not on the PATH.'),
})

export type RsyncOptions = z.infer<typeof rsyncOptions>
