import { closeSync, constants, openSync, writeSync } from 'node:fs'
import { ReadStream } from 'node:tty'
import type { Terminal } from './world.ts'

/**
 * The terminal that this process was started from, whatever its standard streams are; undefined where there is none
 * (cron, systemd, a pipeline in CI). Whoever opened it closes it.
 */
export function openTerminal(): Terminal | undefined {
  let fd: number
  try {
    fd = openSync('/dev/tty', constants.O_RDWR | constants.O_NOCTTY)
  } catch {
    // ENXIO: no controlling terminal; ENOENT: a container without /dev/tty. Both say the same.
    return undefined
  }
  const input = new ReadStream(fd)
  const output = openSync('/dev/tty', constants.O_WRONLY | constants.O_NOCTTY)
  return {
    input,
    write: (text) => void writeSync(output, text),
    close() {
      input.destroy()
      closeSync(output)
    },
  }
}
