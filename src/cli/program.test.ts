import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Command } from 'commander'
import { commandWorld } from '../../test/support/command-world.ts'
import { program } from './program.ts'
import { run } from './run.ts'
import { Session } from './session.ts'

function below(command: Command): Command[] {
  return [command, ...command.commands.flatMap(below)]
}

async function helpOf(...words: readonly string[]): Promise<string> {
  const world = commandWorld()
  assert.equal(await run(world, [...words, '--help']), 0)
  return world.printed().out
}

for (const command of below(program(new Session(commandWorld())))) {
  const words: string[] = []
  for (let at = command; at.parent !== null; at = at.parent) words.unshift(at.name())
  test(`the help of sealift ${words.join(' ')} shows an example and fits 80 columns`, async () => {
    const help = await helpOf(...words)
    assert.match(help, /\nExamples?:\n {2}\$ /)
    for (const line of help.split('\n')) assert.ok(line.length <= 80, line)
  })
}

test('a mistake in the arguments is one error, as text or as a report', async () => {
  const plain = commandWorld()
  assert.equal(await run(plain, ['list', '--nope']), 64)
  assert.match(plain.printed().err, /^sealift: unknown option '--nope'\n {2}hint: /)
  const json = commandWorld()
  assert.equal(await run(json, ['list', '--nope', '--json']), 64)
  const { out, err } = json.printed()
  assert.equal(err, '')
  const report = JSON.parse(out) as { type: string; verb: string; ok: boolean; error: { code: string } }
  assert.deepEqual(
    [report.type, report.verb, report.ok, report.error.code],
    ['report', 'list', false, 'USAGE'],
  )
})

test('a verb that needs a configuration says so where there is none', async () => {
  const world = commandWorld()
  assert.equal(await run(world, ['backup']), 66)
  assert.match(world.printed().err, /there is no configuration/)
})

test('a fault of ours ends with 70 and its trace', async () => {
  const world = commandWorld()
  assert.equal(await run(world, ['keygen', 'file']), 70)
  assert.match(world.printed().err, /this test has no engine[^]*\n {4}at /)
})

test('a run that was stopped before its verb ends as the signal says', async () => {
  const world = commandWorld()
  world.stop('SIGTERM')
  assert.equal(await run(world, ['keygen', 'file']), 143)
})
