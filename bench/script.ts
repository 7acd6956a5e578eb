import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'

export interface Surroundings {
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  readonly signal: AbortSignal
}

/**
 * Runs a bash script to its end, and returns the seconds that it took. A failing command of a pipeline fails it: that
 * throws with what it said. `watch` is called with the process that runs it.
 */
export async function runScript(
  script: string,
  { cwd, env, signal }: Surroundings,
  watch?: (pid: number) => void,
): Promise<number> {
  signal.throwIfAborted()
  const began = process.hrtime.bigint()
  const args = ['-euo', 'pipefail', '-c', script]
  // A group of its own, so that an interrupted run leaves no command of a pipeline behind.
  const child = spawn('bash', args, { cwd, env, stdio: ['ignore', 'ignore', 'pipe'], detached: true })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-2000)))
  const stop = (): void => endGroup(child.pid)
  signal.addEventListener('abort', stop, { once: true })
  if (child.pid !== undefined) watch?.(child.pid)
  const [code] = (await once(child, 'exit')) as [number | null]
  const seconds = Number(process.hrtime.bigint() - began) / 1e9
  signal.removeEventListener('abort', stop)
  // An agent that was started may hold the pipe open for hours.
  if (code !== 0) await Promise.race([once(child.stderr, 'end'), setTimeout(500)])
  child.stderr.destroy()
  signal.throwIfAborted()
  if (code !== 0) throw new Error(`exit code ${code ?? 'of a signal'} of\n${script}\n${said}`)
  return seconds
}

function endGroup(leader: number | undefined): void {
  if (leader === undefined) return
  try {
    process.kill(-leader, 'SIGTERM')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
