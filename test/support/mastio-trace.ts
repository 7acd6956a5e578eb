import { readFileSync } from 'node:fs'
import { program, start } from './journey-program.ts'
import type { Outcome, Where } from './journey-program.ts'

/** One opening of a file that is or belongs to a database. */
export interface Opened {
  /** The program that opened it: the arguments of the process's last `execve`; empty for a thread without one. */
  readonly by: string
  readonly path: string
  readonly flags: string
}

export interface Traced {
  readonly outcome: Outcome
  readonly opened: readonly Opened[]
  /** How often a read lock was taken on the log of a database: once for each read transaction. */
  readonly readLocks: number
}

/** Runs `sealift` under strace, and tells which process opened what of `database`, sidecars included. */
export async function traceBackup(
  where: Where,
  database: string,
  options: { readonly args?: readonly string[]; readonly before?: readonly string[] } = {},
): Promise<Traced> {
  const { args = ['backup', '--json'], before = [] } = options
  const log = `${where.folder}/strace.log`
  const watched = 'trace=open,openat,openat2,execve,fcntl'
  const strace = ['strace', '-f', '--seccomp-bpf', '-qq', '-s', '400', '-o', log, '-e', watched]
  const command = [...before, ...strace, program, ...args]
  const outcome = await start(where, command).ended
  const programs = new Map<string, string>()
  const opened: Opened[] = []
  let readLocks = 0
  for (const line of readFileSync(log, 'latin1').split('\n')) {
    const [, pid = '', rest = ''] = /^(\d+)\s+(.*)$/.exec(line) ?? []
    const [, executed] = /^execve\("[^"]*", (\[.*?\]), /.exec(rest) ?? []
    if (executed !== undefined) programs.set(pid, executed)
    const [, path, flags] =
      /^open(?:at2?)?\((?:AT_FDCWD, )?"([^"]*)", \{?(?:flags=)?([A-Z_|]+)/.exec(rest) ?? []
    if (path?.startsWith(database) === true)
      opened.push({ by: programs.get(pid) ?? '', path, flags: flags ?? '' })
    // A reader of a write-ahead log holds one of five marks, at bytes 123 to 127 of the `-shm` file (SQLite, walformat §2.3).
    if (/^fcntl\(\d+, F_SETLK, \{l_type=F_RDLCK, .*l_start=12[3-7],/.test(rest)) readLocks += 1
  }
  return { outcome, opened, readLocks }
}
