import { spawn } from 'node:child_process'
import type { Fixture } from './fixture.ts'

/** A shell command on a terminal of 80 columns, driven by what it shows. */
export interface PseudoTerminal {
  /** Returns all that was shown, once it matches. Fails if the command ends before. */
  until(pattern: RegExp): Promise<string>
  type(keys: string): void
  /** All that was shown, when the command has ended. */
  end(): Promise<string>
}

/** script(1) of util-linux gives the terminal; the command's last line tells its exit code as `code N`. */
export function onTerminal(
  place: Fixture,
  command: string,
  env: Record<string, string> = {},
): PseudoTerminal {
  const line = `stty cols 80 rows 24; ${command}; echo "code $?"; stty -a | grep -o -- '-\\?echo\\b'`
  const child = spawn('script', ['-qec', line, '/dev/null'], {
    cwd: place.folder,
    env: { ...place.env, SHELL: '/bin/bash', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let shown = ''
  const closed = Promise.withResolvers<void>()
  let ended = false
  let changed = Promise.withResolvers<void>()
  const tell = (): void => {
    changed.resolve()
    changed = Promise.withResolvers()
  }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text
    tell()
  })
  child.on('close', () => {
    ended = true
    tell()
    closed.resolve()
  })
  return {
    async until(pattern) {
      while (!pattern.test(shown)) {
        if (ended) throw new Error(`it ended before it showed ${String(pattern)}:\n${shown}`)
        await changed.promise
      }
      return shown
    },
    type: (keys) => void child.stdin.write(keys),
    async end() {
      await closed.promise
      return shown
    },
  }
}
