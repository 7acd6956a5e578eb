import { SealiftError, isSealiftError } from '../errors.ts'

/** Exit codes of rsync(1): socket, protocol stream, killed, timeouts; 255 is ssh’s own. */
const passing = new Set([10, 12, 20, 30, 35, 255])

/** Words of what will not be better the next time. */
const lasting =
  /command not found|No such file or directory|unknown option|syntax or usage|Bad configuration/i

/** The exit code of a failed rsync; undefined for any other error. */
export function rsyncExit(error: unknown): number | undefined {
  if (!isSealiftError(error, 'PROCESS_FAILED')) return undefined
  const [, code] = /^exit code (\d+)$/.exec(error.data.exit) ?? []
  return code === undefined ? undefined : Number(code)
}

/**
 * What the target throws for a failed rsync or ssh. TARGET_DENIED for a key or a right, TARGET_NOT_FOUND for the folder,
 * TARGET_UNAVAILABLE for the rest, with their last words and whether another try may help.
 */
export function rsyncFailure(target: string, folder: string, operation: string, error: unknown): unknown {
  if (!isSealiftError(error, 'PROCESS_FAILED')) return error
  const { stderr, exit } = error.data
  const code = rsyncExit(error)
  const reason = lastWords(stderr) || `rsync ended with ${exit}`
  if (
    /Permission denied|is not allowed|Host key verification failed|HOST IDENTIFICATION HAS CHANGED/i.test(
      stderr,
    )
  ) {
    return new SealiftError('TARGET_DENIED', { target, operation, reason }, error)
  }
  if (/change_dir#?\d* .*No such file|mkdir ".*\/\." failed: No such file/.test(stderr)) {
    return new SealiftError('TARGET_NOT_FOUND', { target, place: `folder ${folder}` }, error)
  }
  const busy = /Another instance of rrsync/.test(stderr)
  const transient = busy || (code !== undefined && passing.has(code) && !lasting.test(stderr))
  return new SealiftError('TARGET_UNAVAILABLE', { target, operation, reason, transient }, error)
}

/** What was said, without what only follows from it. */
function lastWords(stderr: string): string {
  const lines = stderr
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  const telling = lines.filter((line) => !/^rsync error:|write error: Broken pipe/.test(line))
  return (telling.length > 0 ? telling : lines).join('; ').slice(0, 500)
}
