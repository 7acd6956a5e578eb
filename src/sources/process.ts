import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { Readable } from 'node:stream'
import { SealiftError, systemCode } from '../errors.ts'

/** How much of a process's last words an error carries. */
const stderrKept = 4096
/** How long a process has between SIGTERM and SIGKILL. */
const graceMs = 2000

export interface ProcessOptions {
  /** Ends the process (SIGTERM, then SIGKILL) and the call, which then throws `signal.reason`. */
  readonly signal: AbortSignal
  /** The whole environment of the process: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>
  /** Written to its standard input, which is then closed. */
  readonly input?: string | Uint8Array
  /** Without `input`: a standard input that stays open until this process ends, so that the other can end with it. */
  readonly lifeline?: boolean
  /** A dump without a byte is a failure. */
  readonly refuseEmpty?: boolean
}

/**
 * Runs a program without a shell and gives what it wrote to standard output. Throws PROCESS_NOT_FOUND where there is
 * no such program and PROCESS_FAILED for every end but exit code 0, with the last 4 KiB of its standard error; also
 * for more than `maxOutput` bytes (16 MiB unless given). Arguments are visible to every user: never a secret.
 */
export async function run(
  command: string,
  args: readonly string[],
  options: ProcessOptions & { readonly maxOutput?: number },
): Promise<Buffer> {
  const limit = options.maxOutput ?? 16 * 1024 * 1024
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of stream(command, args, options) as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > limit) throw failed(command, `more than ${limit} bytes of output`, '')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, length)
}

/**
 * Runs a program without a shell and gives its standard output as a stream, with backpressure. A stream that ends has
 * succeeded: exit code 0 and end of output, both waited for. Every other end is an error of the stream, as for `run`.
 * Destroying the stream ends the process; its `close` event comes after the process is gone.
 */
export function stream(command: string, args: readonly string[], options: ProcessOptions): Readable {
  const { signal } = options
  signal.throwIfAborted()
  // A process group of its own: a Ctrl-C of the terminal reaches only us, and what the program started ends with it.
  const child = spawn(command, args, {
    env: { ...options.env },
    shell: false,
    detached: true,
    stdio: [options.input === undefined && options.lifeline !== true ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  })
  const { stdout, stderr } = child
  let tail = Buffer.alloc(0)
  let length = 0
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => child.pid === undefined && resolve())
  })

  const output = new Readable({
    read: () => void stdout?.resume(),
    destroy: (error, done) => {
      signal.removeEventListener('abort', onAbort)
      stdout?.destroy()
      stderr?.destroy()
      child.stdin?.destroy()
      void end(child, gone).then(() => done(error))
    },
  })
  const onAbort = (): void => void output.destroy(signal.reason as Error)
  signal.addEventListener('abort', onAbort, { once: true })

  stdout?.on('data', (chunk: Buffer) => {
    length += chunk.length
    if (!output.push(chunk)) stdout.pause()
  })
  stderr?.on('data', (chunk: Buffer) => {
    tail = Buffer.concat([tail, chunk]).subarray(-stderrKept)
  })
  // A program that stops reading its input says why by its exit code.
  child.stdin?.on('error', () => {})
  if (options.input !== undefined) child.stdin?.end(options.input)

  child.once('error', (error) => {
    const code = systemCode(error)
    output.destroy(
      code === 'ENOENT'
        ? new SealiftError('PROCESS_NOT_FOUND', { command }, error)
        : failed(command, code ?? error.message, '', error),
    )
  })
  child.once('close', (code, killedBy) => {
    const last = tail.toString('utf8').trim()
    if (code !== 0) output.destroy(failed(command, killedBy ?? `exit code ${code}`, last))
    else if (length === 0 && options.refuseEmpty === true) output.destroy(failed(command, 'no output', last))
    else output.push(null)
  })
  return output
}

/** How a program ended. */
export interface Ended {
  readonly code: number | null
  readonly signal: string | null
}

/**
 * Runs a program without a shell on our own standard streams, in the foreground of our terminal, and waits for its end,
 * whichever it is. Its output goes to standard error where ours carries data (`quietOutput`). On `signal` it gets a
 * SIGTERM, once: it is waited for, because only it knows how far it came. Throws PROCESS_NOT_FOUND, and PROCESS_FAILED
 * where it cannot be started.
 */
export async function attend(
  command: string,
  args: readonly string[],
  options: Pick<ProcessOptions, 'signal' | 'env'> & {
    readonly folder?: string
    readonly quietOutput?: boolean
  },
): Promise<Ended> {
  const { signal, env, folder, quietOutput = false } = options
  signal.throwIfAborted()
  // In our own process group: it may read from the terminal, and Ctrl-C reaches it as it would without us.
  const child = spawn(command, args, {
    env: { ...env },
    shell: false,
    stdio: ['inherit', quietOutput ? 2 : 'inherit', 'inherit'],
    ...(folder === undefined ? {} : { cwd: folder }),
  })
  const onAbort = (): void => void child.kill('SIGTERM')
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await new Promise<Ended>((resolve, reject) => {
      child.once('error', (error) => {
        const code = systemCode(error)
        const missing = code === 'ENOENT' && folder === undefined
        reject(
          missing
            ? new SealiftError('PROCESS_NOT_FOUND', { command }, error)
            : failed(command, code ?? error.message, '', error),
        )
      })
      child.once('exit', (code, killedBy) => resolve({ code, signal: killedBy }))
    })
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

function failed(command: string, exit: string, stderr: string, cause?: unknown): SealiftError {
  return new SealiftError('PROCESS_FAILED', { command, exit, stderr }, cause)
}

/** Ends the process and all of its group, and waits until it is gone. */
async function end(child: ChildProcess, gone: Promise<void>): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return gone
  const group = -child.pid
  kill(group, 'SIGTERM')
  const timer = setTimeout(() => kill(group, 'SIGKILL'), graceMs)
  await gone
  clearTimeout(timer)
  // What it started and did not end itself. Nobody here can wait for those: the kernel ends them at once.
  kill(group, 'SIGKILL')
}

function kill(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(group, signal)
  } catch (error) {
    if (systemCode(error) !== 'ESRCH') throw error
  }
}
