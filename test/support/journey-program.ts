import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { World } from './journey-world.ts'

/** How a run of the program ended. */
export interface Outcome {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  readonly ms: number
}

export interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<Outcome>
}

export const program = resolve(import.meta.dirname, '../../bin/sealift')

/** Where a run happens, and what its environment has beyond the usual. */
export interface Where extends Pick<World, 'folder'> {
  readonly env?: NodeJS.ProcessEnv
}

/** Only what a run needs: nothing of the machine's own configuration. */
export function environment({ folder, env }: Where): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'] ?? '/usr/bin:/bin', HOME: folder, LC_ALL: 'C.UTF-8', ...env }
}

/** Starts a command in the world's folder, as a process group of its own. */
export function start(
  world: Where,
  command: readonly string[],
  options: { readonly env?: NodeJS.ProcessEnv; readonly input?: NodeJS.ReadableStream } = {},
): Running {
  const [file = '', ...args] = command
  const began = performance.now()
  const child = spawn(file, args, {
    cwd: world.folder,
    env: { ...environment(world), ...options.env },
    detached: true,
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  if (options.input !== undefined && child.stdin !== null) {
    child.stdin.on('error', () => undefined)
    options.input.pipe(child.stdin)
  }
  const ended = once(child, 'close').then(([code, signal]): Outcome => {
    return {
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
      stdout,
      stderr,
      ms: performance.now() - began,
    }
  })
  return { child, ended }
}

/** Runs `sealift` in the world's folder to its end. */
export function sealift(
  world: Where,
  args: readonly string[],
  options: Parameters<typeof start>[2] = {},
): Promise<Outcome> {
  return start(world, [program, ...args], options).ended
}

/** Runs `sealift` and sends its process group a signal after `ms`; it may have ended before. */
export async function sealiftUntil(
  world: Where,
  args: readonly string[],
  ms: number,
  signal: NodeJS.Signals,
): Promise<Outcome> {
  const { child, ended } = start(world, [program, ...args])
  const stop = new AbortController()
  const timer = sleep(ms, undefined, { signal: stop.signal }).then(
    () => signalGroup(child, signal),
    () => undefined,
  )
  const outcome = await ended
  stop.abort()
  await timer
  return outcome
}

export function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}
