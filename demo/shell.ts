import { spawn } from 'node:child_process'
import { once } from 'node:events'

export interface ShellOptions {
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  readonly signal: AbortSignal
  readonly say: (text: string) => void
}

/** Runs commands in sight: each stands as it could be typed before what it printed. */
export class Shell {
  readonly #options: ShellOptions

  constructor(options: ShellOptions) {
    this.#options = options
  }

  /** Runs a command line of `sh`; returns what it printed. Throws where it does not exit as expected. */
  async run(command: string, expected = 0): Promise<string> {
    const { cwd, env, signal, say } = this.#options
    signal.throwIfAborted()
    say(`\n$ ${command}\n`)
    // A group of its own, so that an end comes to every command of a pipeline, and only once.
    const child = spawn('sh', ['-c', command], {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    const stop = (): void => endGroup(child.pid)
    signal.addEventListener('abort', stop, { once: true })
    let printed = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        printed += text
        say(text)
      })
    }
    const [code] = (await once(child, 'close')) as [number | null]
    signal.removeEventListener('abort', stop)
    signal.throwIfAborted()
    if (code !== expected)
      throw new Error(`\`${command}\` exited with ${code ?? 'a signal'}, not ${expected}`)
    return printed
  }
}

function endGroup(leader: number | undefined): void {
  if (leader === undefined) return
  try {
    process.kill(-leader, 'SIGTERM')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** A path as a shell takes it. */
export function quoted(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
