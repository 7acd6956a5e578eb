import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { difference, parseTranscript } from './transcript.ts'
import type { Step } from './transcript.ts'
import type { Fixture } from './fixture.ts'
import { fixture } from './fixture.ts'

const folder = import.meta.dirname
const transcripts = readdirSync(folder).filter((name) => name.endsWith('.txt'))

// Each has a folder of its own; its steps follow one another.
describe('the command line does what its transcripts say', { concurrency: 3 }, () => {
  for (const name of transcripts) {
    test(name, async (t) => {
      const steps = parseTranscript(readFileSync(join(folder, name), 'utf8'))
      assert.ok(steps.length > 0)
      await using place = await fixture()
      for (const step of steps) {
        await t.test(`${name}:${step.line} ${step.command.split('\n')[0] ?? ''}`, () => follow(place, step))
      }
    })
  }
})

async function follow(place: Fixture, step: Step): Promise<void> {
  const done = await place.shell(step.command)
  for (const stream of ['stdout', 'stderr'] as const) {
    const found = difference(step[stream], done[stream], place.folder)
    if (found !== undefined) assert.fail(`${stream} was\n\n${found.actual}\n\nand not\n\n${found.expected}`)
  }
  assert.equal(done.exit, step.exit)
}

test('every verb has a transcript', () => {
  const all = transcripts.map((name) => readFileSync(join(folder, name), 'utf8')).join('\n')
  const verbs =
    'init backup list show verify restore extract inspect unseal rekey keygen prune doctor config completion'
  for (const verb of verbs.split(' ')) assert.match(all, new RegExp(`sealift ${verb}\\b`))
})
