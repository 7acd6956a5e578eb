import type { Readable } from 'node:stream'

/** Other programs, with the environment that this one was started in. A command is a program and its arguments. */
export interface Programs {
  /**
   * Its standard output; the end of the stream says that it succeeded. PROCESS_NOT_FOUND, PROCESS_FAILED as errors of
   * the stream.
   */
  output(command: readonly string[], signal: AbortSignal): Readable
  /**
   * Runs it on our own standard streams and waits for its end. On `signal` it is asked to end and still waited for.
   * PROCESS_NOT_FOUND, PROCESS_FAILED where it cannot be started.
   */
  attend(
    command: readonly string[],
    options: { readonly signal: AbortSignal; readonly folder?: string; readonly quietOutput?: boolean },
  ): Promise<{ readonly code: number | null; readonly signal: string | null }>
}
