import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openPath } from './local.ts'

test('a stream of a run that was stopped before it is read raises nothing unheard, and fails who reads it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sealift-reader-'))
  try {
    await writeFile(join(folder, 'archive'), 'content')
    await using reader = await openPath(join(folder, 'archive'))
    const stopped = new AbortController()
    const early = reader.stream(AbortSignal.abort(new Error('stopped')))
    const late = reader.stream(stopped.signal)
    stopped.abort(new Error('stopped'))
    // An error without a listener would end the process in one of these turns.
    await sleep(10)
    for (const stream of [early, late]) {
      await assert.rejects(
        async () => {
          for await (const _ of stream) assert.fail('nothing may come')
        },
        { name: 'AbortError' },
      )
    }
  } finally {
    await rm(folder, { recursive: true })
  }
})
