/**
 * The one table of what can go wrong. An entry's `say` makes the sentence from the error's data; it names the thing and
 * the place. `hint` says what to do next. `kind` is what the edges map: `cli/exit.ts` to an exit code.
 * docs/errors.md lists the same codes; a test holds the two against each other.
 */

import { archiveErrors } from './error-table-archives.ts'

export type ErrorKind = 'usage' | 'not-found' | 'denied' | 'conflict' | 'integrity' | 'unavailable' | 'bug'

export interface Entry {
  readonly kind: ErrorKind
  // eslint-disable-next-line typescript/no-explicit-any -- each entry has its own data; SealiftError restores the type
  readonly say: (data: any) => string
  readonly hint?: string
}

export const table = {
  ...archiveErrors,

  FOREIGN_NOT_RECOGNISED: {
    kind: 'integrity',
    say: (d: { format: string; name?: string }) =>
      `${d.name ?? 'the input'} does not begin as a ${d.format} file does`,
    hint: 'check the path; a file that went through a text-mode copy is broken for good, fetch it again',
  },
  FOREIGN_CUT: {
    kind: 'integrity',
    say: (d: { format: string; name?: string; at: number }) =>
      `${d.name ?? 'the input'} is cut at byte ${d.at}: no ${d.format} file is that short`,
    hint: 'the copy is not complete; fetch it again or take another one',
  },
  FOREIGN_HEADER_REFUSED: {
    kind: 'integrity',
    say: (d: { format: string; name?: string; field: string; reason: string }) =>
      `the ${d.format} header of ${d.name ?? 'the input'} is refused: ${d.field}: ${d.reason}`,
    hint: 'the first bytes were changed, or another version wrote the file; take another copy',
  },
  FOREIGN_NOT_OPENED: {
    kind: 'denied',
    say: (d: { format: string; name?: string }) =>
      `${d.name ?? 'the input'} does not open: the passphrase is wrong, or the ${d.format} file was changed or cut`,
    hint: 'the format cannot tell which; if the passphrase is certainly right, take another copy',
  },
  FOREIGN_HEADER_CHANGED: {
    kind: 'integrity',
    say: (d: { format: string; name?: string }) =>
      `the ${d.format} header of ${d.name ?? 'the input'} was changed after the file was sealed`,
    hint: 'do not trust this copy; take another one',
  },
  FOREIGN_CONTENT_REFUSED: {
    kind: 'integrity',
    say: (d: { format: string; name?: string; reason: string }) =>
      `the seal of ${d.name ?? 'the input'} holds, and what is inside is no ${d.format} content: ${d.reason}`,
    hint: 'it was sealed like that; take another file',
  },
  FOREIGN_TOO_LARGE: {
    kind: 'unavailable',
    say: (d: { format: string; name?: string; limit: number }) =>
      `${d.name ?? 'the output'}: a ${d.format} file holds at most ${d.limit} bytes`,
    hint: 'an archive of Sealift itself has no such limit',
  },
  FOREIGN_REFUSED: {
    kind: 'integrity',
    say: (d: { reason: string }) => `the archive is refused: ${d.reason}`,
    hint: 'nothing was changed; take another archive',
  },

  // --- passphrases ---
  PASSPHRASE_MISSING: {
    kind: 'usage',
    say: () => 'no passphrase or key was given, and there is no terminal to ask on',
    hint: 'use --passphrase-file, --passphrase-fd, --key-file, SEALIFT_PASSPHRASE_FILE or `seal.passphrase_file` in sealift.yaml',
  },
  PASSPHRASE_TOO_SHORT: {
    kind: 'usage',
    say: (d: { minimum: number }) => `the passphrase is shorter than ${d.minimum} characters`,
    hint: 'six random words make a good one',
  },
  PASSPHRASE_MISMATCH: { kind: 'usage', say: () => 'the two passphrases differ', hint: 'type it again' },
  KEY_FILE_NOT_FOUND: {
    kind: 'not-found',
    say: (d: { path: string }) => `there is no passphrase or key file at ${d.path}`,
    hint: 'check the path; the option, SEALIFT_PASSPHRASE_FILE or `seal.passphrase_file` names it',
  },
  KEY_FILE_EXISTS: {
    kind: 'conflict',
    say: (d: { path: string }) => `${d.path} exists already, and a key is never overwritten`,
    hint: 'name another file; what was sealed for the old key opens only with it',
  },
  KEY_FILE_REFUSED: {
    kind: 'denied',
    say: (d: { path: string; reason: string }) =>
      `${d.path} is refused as a passphrase or key file: ${d.reason}`,
    hint: 'it must be a regular file, owned by root or you, mode 0400 or 0600, with one line',
  },
  MASTER_KEY_REFUSED: {
    kind: 'usage',
    say: (d: { reason: string }) => d.reason,
    hint: 'give the key that the application itself runs with; an archive of another key does not fit this one',
  },

  // --- config ---
  CONFIG_NOT_FOUND: {
    kind: 'not-found',
    say: (d: { path: string }) => `there is no configuration at ${d.path}`,
    hint: '`sealift init` writes one; --config names another place',
  },
  CONFIG_EXISTS: {
    kind: 'conflict',
    say: (d: { path: string }) => `${d.path} exists already`,
    hint: 'use --force to replace it, or --output for another place',
  },
  CONFIG_INVALID: {
    kind: 'usage',
    say: (d: { path: string; problems: readonly { line?: number; what: string; fix?: string }[] }) =>
      [
        `${d.path} has ${d.problems.length} ${d.problems.length === 1 ? 'mistake' : 'mistakes'}:`,
        ...d.problems.map(
          (p) =>
            `  ${p.line === undefined ? '' : `line ${p.line}: `}${p.what}${p.fix === undefined ? '' : ` (${p.fix})`}`,
        ),
      ].join('\n'),
    hint: '`sealift config check` shows the mistakes again once you have changed it',
  },

  // --- sources ---
  SOURCE_NOT_FOUND: {
    kind: 'not-found',
    say: (d: { source: string; path: string }) => `source ${d.source}: there is nothing at ${d.path}`,
    hint: 'check `path` in sealift.yaml',
  },
  SOURCE_UNREADABLE: {
    kind: 'denied',
    say: (d: { source: string; path: string; reason: string }) =>
      `source ${d.source}: cannot read ${d.path}: ${d.reason}`,
    hint: 'run as a user who may read it (root, or the application’s own user), or exclude it',
  },
  SOURCE_NOT_SQLITE: {
    kind: 'usage',
    say: (d: { source: string; path: string; reason: string }) =>
      `source ${d.source}: ${d.path} is no SQLite database: ${d.reason}`,
    hint: 'correct `path`, or use kind `files` for it',
  },
  SOURCE_CORRUPT: {
    kind: 'integrity',
    say: (d: { source: string; path: string; reason: string }) =>
      `source ${d.source}: the snapshot of ${d.path} fails its integrity check: ${d.reason}`,
    hint: 'nothing was written; the live database is damaged: keep it, and restore the newest verified archive beside it',
  },
  SOURCE_BUSY: {
    kind: 'unavailable',
    say: (d: { source: string; path: string; seconds: number }) =>
      `source ${d.source}: ${d.path} stayed locked for ${d.seconds} s`,
    hint: 'a writer holds it; try again, or raise `timeout` of this source',
  },
  SOURCE_NAME_REFUSED: {
    kind: 'usage',
    say: (d: { source: string; path: string; reason: string }) =>
      `source ${d.source}: the name ${d.path} cannot be carried in an archive: ${d.reason}`,
    hint: 'rename it, or exclude it by name in sealift.yaml',
  },
  SNAPSHOT_FAILED: {
    kind: 'unavailable',
    say: (d: { source: string; reason: string }) => `source ${d.source}: the snapshot failed: ${d.reason}`,
  },
  PROCESS_FAILED: {
    kind: 'unavailable',
    say: (d: { command: string; exit: string; stderr: string }) =>
      `${d.command} ended with ${d.exit}${d.stderr === '' ? '' : `: ${d.stderr}`}`,
  },
  PROCESS_NOT_FOUND: {
    kind: 'not-found',
    say: (d: { command: string }) => `the program ${d.command} is not installed or not on the PATH`,
  },
  TOOL_TOO_OLD: {
    kind: 'unavailable',
    say: (d: { tool: string; found: string; needed: number }) =>
      `${d.tool} ${d.found} is the newest that is installed, and PostgreSQL ${d.needed} is needed`,
    hint: 'install the client programs of that release: on Debian and Ubuntu postgresql-client-NN, from apt.postgresql.org where the system has only an older one',
  },

  // --- rows: export and import ---
  ROWS_UNCLASSIFIED: {
    kind: 'conflict',
    say: (d: { unclassified: readonly string[] }) =>
      `nothing says whether these move, are left behind or stay: ${d.unclassified.join(', ')}`,
    hint: 'a newer release of the application has them, or somebody added them; name their class in the configuration',
  },
  ROWS_MODEL_REFUSED: {
    kind: 'conflict',
    say: (d: { reason: string }) => `the database is not as the profile describes it: ${d.reason}`,
    hint: 'nothing was changed; check which release of the application made this database',
  },
  ROWS_REFUSED: {
    kind: 'integrity',
    say: (d: { table: string; row?: number | string; column?: string; reason: string }) =>
      `${d.table}${d.row === undefined ? '' : `, row ${d.row}`}${d.column === undefined ? '' : `, column ${d.column}`}: ${d.reason}`,
    hint: 'nothing was changed; the rows do not fit this database',
  },
  ROWS_KEYRING_WRONG: {
    kind: 'denied',
    say: (d: { secrets: number }) => `not one of ${d.secrets} secrets opens: the master key is another one`,
    hint: 'nothing was written; give the master key that the application itself runs with',
  },
  ROWS_UNDECRYPTABLE: {
    kind: 'integrity',
    say: (d: {
      count: number
      first: readonly { table: string; column: string; row: string; reason: string }[]
    }) =>
      `${d.count} secrets do not open: ${d.first.map((one) => `${one.table}.${one.column} of ${one.row} (${one.reason})`).join(', ')}`,
    hint: 'nothing was written; without the option that asks for this, they are left out and listed',
  },
  DATABASE_UNAVAILABLE: {
    kind: 'unavailable',
    say: (d: { database: string; operation: string; reason: string }) =>
      `${d.database}: ${d.operation}: ${d.reason}`,
  },
  DATABASE_BUSY: {
    kind: 'conflict',
    say: (d: { database: string; reason: string }) => `${d.database} is in use: ${d.reason}`,
    hint: 'nothing was changed; try again when the other one has ended',
  },

  // --- targets ---
  TARGET_UNAVAILABLE: {
    kind: 'unavailable',
    // `transient`: the driver knows that another try may succeed, or that none will.
    say: (d: { target: string; operation: string; reason: string; transient?: boolean }) =>
      `target ${d.target}: ${d.operation} failed: ${d.reason}`,
  },
  TARGET_DENIED: {
    kind: 'denied',
    say: (d: { target: string; operation: string; reason: string }) =>
      `target ${d.target}: ${d.operation} was refused: ${d.reason}`,
    hint: 'the credentials are missing, wrong or expired, or lack a right; docs/targets.md names the rights that are needed',
  },
  TARGET_NOT_FOUND: {
    kind: 'not-found',
    say: (d: { target: string; place: string }) => `target ${d.target}: there is no ${d.place}`,
    hint: 'make it, or correct it in sealift.yaml; Sealift makes none on another host',
  },
  TARGET_NOT_OFF_HOST: {
    kind: 'conflict',
    say: (d: { target: string; location: string; detail: string }) =>
      `target ${d.target}: ${d.location} has to be off this host (\`off_host: required\`) and is ${d.detail}`,
    hint: 'is the disk or share mounted? nothing was written to this target',
  },
  TARGET_NAME_INVALID: {
    kind: 'usage',
    say: (d: { target: string; name: string }) =>
      `target ${d.target}: ${JSON.stringify(d.name)} is no name for an archive`,
  },
  TARGET_FULL: {
    kind: 'unavailable',
    say: (d: { target: string; needed: number; free: number }) =>
      `target ${d.target}: about ${d.needed} bytes are needed and ${d.free} are free`,
    hint: '`sealift prune --dry-run` shows what retention would free',
  },
  OBJECT_EXISTS: {
    kind: 'conflict',
    say: (d: { target: string; name: string }) =>
      `target ${d.target}: ${d.name} exists already and is not overwritten`,
  },
  OBJECT_NOT_FOUND: {
    kind: 'not-found',
    say: (d: { target: string; name: string }) => `target ${d.target}: there is no ${d.name}`,
    hint: '`sealift list` shows what is there',
  },

  // --- verbs ---
  LOCKED: {
    kind: 'conflict',
    say: (d: { app: string; holder: string }) => `another run works on ${d.app}: ${d.holder}`,
    hint: 'wait for it to end; the lock goes with its process',
  },
  ARCHIVE_NOT_FOUND: {
    kind: 'not-found',
    say: (d: { wanted: string; where: string }) => `no archive matches ${d.wanted} in ${d.where}`,
    hint: '`sealift list` shows what is there',
  },
  ARCHIVE_AMBIGUOUS: {
    kind: 'usage',
    say: (d: { wanted: string; matches: readonly string[] }) =>
      `${d.wanted} matches ${d.matches.length} archives: ${d.matches.join(', ')}`,
    hint: 'give more digits of the id, or the whole name',
  },
  ARCHIVE_LATER: {
    kind: 'conflict',
    say: (d: { name: string; until: string; before: string }) =>
      `${d.name} may hold something up to ${d.until}, and only what is from before ${d.before} was asked for`,
    hint: '`latest` takes the newest from before; --allow-later takes this one all the same',
  },
  DESTINATION_POPULATED: {
    kind: 'conflict',
    say: (d: { paths: readonly string[] }) =>
      `the restore would replace what is there: ${d.paths.join(', ')}`,
    hint: 'with --force the old state is set aside in a dated folder first; or restore elsewhere with --to DIR',
  },
  DESTINATION_UNKNOWN: {
    kind: 'usage',
    say: (d: { source: string }) =>
      `the archive does not say where source ${d.source} belongs, and no configuration names it`,
    hint: 'use --to DIR, or a sealift.yaml with a source of that name',
  },
  DESTINATION_REFUSED: {
    kind: 'conflict',
    say: (d: { path: string; reason: string }) => `cannot restore to ${d.path}: ${d.reason}`,
  },
  DISK_FULL: {
    kind: 'unavailable',
    say: (d: { path: string; needed: number; free: number }) =>
      `${d.path} has ${d.free} bytes free and about ${d.needed} are needed`,
    hint: 'free some space; nothing was changed',
  },
  SYMLINK_REFUSED: {
    kind: 'denied',
    say: (d: { member: string; link: string }) =>
      `the symlink ${d.member} points out of the restore folder, to ${d.link}`,
    hint: 'use --allow-outside-links if you trust this archive’s links',
  },
  SNAPSHOT_REFUSED: {
    kind: 'integrity',
    say: (d: { app: string; failed: readonly string[] }) =>
      `no archive was written: the data of ${d.app} failed its checks: ${d.failed.join('; ')}`,
    hint: 'earlier archives are untouched; mend the application, or restore one of them',
  },
  BACKUP_NOT_GOOD: {
    kind: 'integrity',
    say: (d: { app: string; failed: readonly string[] }) =>
      `the archive of ${d.app} was written and does not count as good: ${d.failed.join('; ')}`,
    hint: 'it holds what is there, for the search of the cause; no retention ran',
  },
  CHECK_FAILED: {
    kind: 'integrity',
    say: (d: { failed: readonly string[] }) => `the restored data failed its checks: ${d.failed.join('; ')}`,
    hint: 'nothing was changed; take an older archive, or accept a finding by its word: --accept WORD',
  },
  LIVE_CHECK_FAILED: {
    kind: 'integrity',
    say: (d: { failed: readonly string[] }) =>
      `the running application is not the one that was backed up, or is not well: ${d.failed.join('; ')}`,
    hint: 'stop it before agents or users rely on it; `sealift restore` brings the backup back',
  },
  CHANGE_REFUSED: {
    kind: 'conflict',
    say: (d: { reason: string; code?: string }) =>
      `the command was not run, because the backup before it is not good: ${d.reason}`,
    hint: 'mend what stands in the way of the backup; `sealift backup` shows it by itself',
  },
  CHANGE_FAILED: {
    kind: 'unavailable',
    say: (d: { command: string; end: string }) => `${d.command} ended with ${d.end}`,
    hint: 'the report has the way back to the state before',
  },
  ROLLBACK_FAILED: {
    kind: 'conflict',
    say: (d: { step: string; reason: string }) => `the rollback failed (${d.step}): ${d.reason}`,
    hint: 'what it goes back to is untouched; of `guard`, the report has the way back, to be gone by hand',
  },
  RECOVERY_FAILED: {
    kind: 'conflict',
    say: (d: { reason: string }) => `the last clean archive could not be restored: ${d.reason}`,
    hint: 'nothing was changed; mend the cause, or accept a finding by its word: --accept WORD',
  },
  RECOVERY_STOPPED: {
    kind: 'unavailable',
    say: (d: { step: string }) =>
      `the run was stopped before this step: ${d.step}; the steps before it stay done`,
    hint: 'run it again without --restore, with --compromised FOLDER for the state that was set aside',
  },
  ROLLBACK_REFUSED: {
    kind: 'integrity',
    say: (d: { reason: string }) => d.reason,
    hint: 'nothing was changed; take another folder, or an archive: `sealift list`',
  },
  GUARD_REFUSED: {
    kind: 'conflict',
    say: (d: { guard: string; reason: string }) => `${d.guard}: ${d.reason}`,
  },
  RECOVERY_NEEDED: {
    kind: 'conflict',
    say: (d: { journal: string; reason: string }) =>
      `an earlier restore was interrupted and could not be undone by itself (${d.journal}): ${d.reason}`,
    hint: 'the journal lists each move; docs/restore.md says how to finish by hand',
  },
  NOT_READY: {
    kind: 'unavailable',
    say: (d: { failed: readonly string[] }) =>
      `a backup or a restore would not work now: ${d.failed.join(', ')}`,
    hint: 'each finding says what to do about it',
  },
  IO_FAILED: {
    kind: 'unavailable',
    say: (d: { path: string; operation: string; reason: string }) => `${d.operation} ${d.path}: ${d.reason}`,
  },
  USAGE: {
    kind: 'usage',
    say: (d: { reason: string }) => d.reason,
    hint: '`sealift help` shows the commands',
  },
  CANCELLED: { kind: 'unavailable', say: () => 'the run was stopped; nothing was left behind' },
  BUG: {
    kind: 'bug',
    say: (d: { reason: string }) => `a fault in Sealift itself: ${d.reason}`,
    hint: 'please report it with the command and this text',
  },
} as const satisfies Record<string, Entry>
