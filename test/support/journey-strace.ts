import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { program, signalGroup, start } from './journey-program.ts'
import type { Outcome, Where } from './journey-program.ts'
import type { World } from './journey-world.ts'

type Place = Pick<World, 'join'> & Where

/**
 * One kind of system call, by the names it has on the machines there are. strace counts each thread's calls by itself,
 * so the program runs with one thread for its files.
 */
export const calls = {
  rename: ['rename', 'renameat', 'renameat2'],
  link: ['link', 'linkat'],
  symlink: ['symlink', 'symlinkat'],
  unlink: ['unlink', 'unlinkat'],
  rmdir: ['rmdir'],
  mkdir: ['mkdir', 'mkdirat'],
  fsync: ['fsync', 'fdatasync'],
  fchmod: ['fchmod'],
  chmod: ['chmod', 'fchmodat'],
  fchown: ['fchown'],
  chown: ['chown', 'lchown', 'fchownat'],
  utimensat: ['utimensat'],
  ftruncate: ['ftruncate'],
} as const

export type Call = keyof typeof calls

const oneThread = { UV_THREADPOOL_SIZE: '1' }

/** Throws, with the reason and what brings it, where system calls cannot be stopped. */
export function requireStrace(): void {
  const tried = spawnSync('strace', ['-f', '--seccomp-bpf', '-qq', '-e', 'trace=unlink', 'true'], {
    encoding: 'utf8',
  })
  if (tried.status === 0) return
  const reason = tried.error === undefined ? tried.stderr.trim() : 'strace is not installed'
  throw new Error(
    `system calls cannot be stopped here: ${reason}. Install it (apt-get install strace, or script/setup), and in a container allow it (docker run --cap-add=SYS_PTRACE)`,
  )
}

/** How a run ended that was killed at one system call, or that ended before it came to it. */
export interface Struck {
  readonly hit: boolean
  readonly outcome: Outcome
  /** The call as strace shows it. */
  readonly at: string
}

/** Runs `sealift` and kills it, SIGKILL, when a thread of it is about to make its `n`-th call of a kind; another may fail before. */
export async function killAtCall(
  world: Place,
  args: readonly string[],
  call: Call,
  n: number,
  failing?: { readonly call: Call; readonly n: number },
): Promise<Struck> {
  const hold = ['-e', `inject=${setOf(call)}:delay_enter=20000000:when=${n}`]
  if (failing !== undefined) {
    const set = setOf(failing.call)
    hold.push('-e', `trace=${setOf(call)},${set}`, '-e', `inject=${set}:error=EIO:when=${failing.n}`)
  }
  const { child, ended } = start(world, straced(call, hold, args), { env: oneThread })
  let text = ''
  const struck: { at?: string; pid?: number | undefined } = {}
  child.stderr?.on('data', (piece: string) => {
    text += piece
    const at = struck.at === undefined ? nthCall(text, call, n) : undefined
    if (at === undefined) return
    struck.at = at
    struck.pid = tracedBy(child.pid)
    if (struck.pid !== undefined) process.kill(struck.pid, 'SIGKILL')
    signalGroup(child, 'SIGKILL')
  })
  const outcome = await ended
  while (struck.pid !== undefined && isRunning(struck.pid)) await sleep(2)
  return { hit: struck.at !== undefined, outcome, at: struck.at ?? '' }
}

/** The line with which some thread enters its `n`-th call; the line has no end while the call is held. */
function nthCall(text: string, call: Call, n: number): string | undefined {
  const counts = new Map<string, number>()
  for (const [line, thread = '', name = ''] of text.matchAll(/^(?:\[pid +(\d+)\] )?([a-z0-9_]+)\(.*/gm)) {
    if (!(calls[call] as readonly string[]).includes(name)) continue
    const id = `${thread} ${name}`
    const count = (counts.get(id) ?? 0) + 1
    counts.set(id, count)
    if (count === n) return line
  }
  return undefined
}

/** Runs `sealift` with the `n`-th call of a kind (of each thread) failing, or with every one from the `n`-th on. */
export async function failAtCall(
  world: Place,
  args: readonly string[],
  call: Call,
  error: string,
  when: string,
): Promise<Struck> {
  const log = world.join('strace.log')
  const inject = ['-o', log, '-e', `inject=${setOf(call)}:error=${error}:when=${when}`]
  const outcome = await start(world, straced(call, inject, args), { env: oneThread }).ended
  const lines = readFileSync(log, 'utf8').split('\n')
  const hits = lines.filter((line) => line.includes('(INJECTED)'))
  return { hit: hits.length > 0, outcome, at: hits.join('; ') }
}

function straced(call: Call, inject: readonly string[], args: readonly string[]): string[] {
  // strace has standard error to itself: the program's own goes to a file.
  const quiet = inject.includes('-o') ? [] : ['sh', '-c', 'exec "$@" 2>/dev/null', 'sh']
  return [
    'strace',
    '-f',
    '--seccomp-bpf',
    '-qq',
    '-e',
    `trace=${setOf(call)}`,
    '-e',
    'signal=none',
    ...inject,
    ...quiet,
    program,
    ...args,
  ]
}

/** `?` lets a name pass that this machine's kernel does not have. */
function setOf(call: Call): string {
  return calls[call].map((name) => `?${name}`).join(',')
}

/** The process that strace started. */
function tracedBy(strace: number | undefined): number | undefined {
  if (strace === undefined) return undefined
  const children = readFileSync(`/proc/${strace}/task/${strace}/children`, 'utf8').trim()
  const [first] = children.split(' ')
  return first === undefined || first === '' ? undefined : Number(first)
}

function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return !/\) [ZX] /.test(stat)
  } catch {
    return false
  }
}
