import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'

import { run, stream } from '../sources/process.ts'
import { isSealiftError } from '../errors.ts'
import { rsyncExit, rsyncFailure } from './rsync-failure.ts'
import type { RsyncOptions } from './rsync-options.ts'
import { remoteFolder, sshCommand } from './rsync-ssh.ts'

/** Seconds without a byte after which rsync gives up; the sync of a large archive is silent for long. */
const silence = 600
/** How often what rsync can take up again is tried, if no try moved anything. */
const tries = 4

/** A folder on another host that rsync reaches over SSH. Nothing is asked of the other side but rsync itself. */
export class RsyncRemote {
  readonly target: string
  readonly folder: string
  /** As rsync names it. */
  readonly place: string
  readonly #common: readonly string[]

  constructor(target: string, options: RsyncOptions) {
    this.target = target
    this.folder = options.folder
    this.place = remoteFolder(options)
    const { rsync_path: program } = options
    const rsync = program === undefined ? [] : [`--rsync-path=${program}`]
    this.#common = ['-e', sshCommand(options), ...rsync, `--timeout=${silence}`, '--outbuf=L']
  }

  /** Runs rsync and gives its lines. `accept` is an exit code that is an answer: undefined is returned for it. */
  async run(
    operation: string,
    args: readonly string[],
    signal?: AbortSignal,
    accept?: number,
  ): Promise<string[] | undefined> {
    signal?.throwIfAborted()
    try {
      const options = { signal: signal ?? new AbortController().signal, env: environment() }
      const output = await run('rsync', [...this.#common, ...args], options)
      return output.toString('latin1').split('\n').slice(0, -1)
    } catch (error) {
      signal?.throwIfAborted()
      if (accept !== undefined && rsyncExit(error) === accept) return undefined
      throw this.failure(operation, error)
    }
  }

  /** Starts rsync; its output is read from the stream, which ends when rsync has succeeded. */
  start(args: readonly string[], signal: AbortSignal): Readable {
    return stream('rsync', [...this.#common, ...args], { signal, env: environment() })
  }

  failure(operation: string, error: unknown): unknown {
    return rsyncFailure(this.target, this.folder, operation, error)
  }
}

/** Waits before try `idle` in a row without progress; throws the error instead if it will not pass, or is the last. */
export async function pauseAfter(error: unknown, idle: number, signal?: AbortSignal): Promise<void> {
  const passes = isSealiftError(error, 'TARGET_UNAVAILABLE') && error.data.transient === true
  if (!passes || idle >= tries) throw error
  await sleep(500 * 2 ** idle, undefined, { signal }).catch((stopped: unknown) => {
    signal?.throwIfAborted()
    throw stopped
  })
}

/** ssh and rsync see of the environment what they need; sentences in English, times in UTC. */
function environment(): Record<string, string> {
  const { PATH = '/usr/local/bin:/usr/bin:/bin', HOME, SSH_AUTH_SOCK } = process.env
  return {
    PATH,
    LC_ALL: 'C',
    TZ: 'UTC',
    ...(HOME === undefined ? {} : { HOME }),
    ...(SSH_AUTH_SOCK === undefined ? {} : { SSH_AUTH_SOCK }),
  }
}
