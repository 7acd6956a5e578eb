import { PassThrough } from 'node:stream'
import type { World } from '../../src/cli/world.ts'

/** A process for command line tests: nothing typed, nothing configured, unless it is given. */
export function commandWorld(given: Partial<World> = {}): World & { readonly printed: () => Printed } {
  const stdout = new PassThrough()
  const stderr = new PassThrough()
  const controller = new AbortController()
  let stopped: ReturnType<World['stopped']>
  return {
    env: {},
    stdin: new PassThrough(),
    stdout,
    stderr,
    now: () => new Date('2026-03-01T12:00:00Z'),
    uid: process.geteuid?.() ?? 0,
    version: '0.0.0',
    nodeVersion: '26.0.0',
    signal: controller.signal,
    stop(signal) {
      stopped ??= signal
      controller.abort()
    },
    stopped: () => stopped,
    openTerminal: () => undefined,
    context: () => Promise.reject(new Error('this test has no engine')),
    configure: () => Promise.resolve(undefined),
    configSchema: () => Promise.resolve({}),
    openFolder: () => Promise.reject(new Error('this test has no target')),
    ...given,
    printed: () => ({ out: read(stdout), err: read(stderr) }),
  }
}

interface Printed {
  readonly out: string
  readonly err: string
}

function read(stream: PassThrough): string {
  const chunks: string[] = []
  for (let chunk = stream.read() as Buffer | null; chunk !== null; chunk = stream.read() as Buffer | null)
    chunks.push(chunk.toString())
  return chunks.join('')
}
