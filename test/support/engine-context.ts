import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { catalogInMemory } from '../../src/catalog/catalog.ts'
import type { Context } from '../../src/engine/context.ts'

/**
 * A context for a verb that runs in the test's own process: a fixed time, a catalogue without a file, no drivers, and an
 * archive named by its path fails the test. `more` replaces what the test is about.
 */
export function engineContext(stateDir: string, more: Partial<Context> = {}): Context {
  const refuse = (): never => assert.fail('nothing here opens an archive by its path')
  const refuseProgram = (): never => assert.fail('nothing here starts a program')
  return {
    now: () => new Date('2026-01-10T00:00:00Z'),
    random: (bytes) => randomBytes(bytes),
    signal: new AbortController().signal,
    emit: () => {},
    host: 'host',
    pid: process.pid,
    privileged: false,
    version: '0.0.0',
    stateDir,
    catalog: catalogInMemory(),
    sourceDrivers: {},
    profiles: {},
    formats: [],
    programs: { output: refuseProgram, attend: refuseProgram },
    openPath: refuse,
    replacePath: refuse,
    stdin: () => Readable.from([]),
    ...more,
  }
}
