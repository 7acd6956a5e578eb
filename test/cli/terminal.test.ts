import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fixture } from './fixture.ts'
import type { Fixture } from './fixture.ts'
import { onTerminal } from './pseudo-terminal.ts'

const escape = '\u001B'
const eraseLine = `\r${escape}[K`
const passphrase = 'otter bridge lemon canvas orbit tulip'
const withoutSeal = `sed '/^seal:/,/passphrase_file/d' sealift.yaml > unsealed.yaml`

async function left(place: Fixture): Promise<string[]> {
  const { stdout } = await place.shell(
    `find archives state/scratch state/journal -mindepth 1 2>/dev/null | sort`,
  )
  return stdout.split('\n').filter((line) => line !== '')
}

/** Enough that a backup takes a second: nothing of it can be compressed. */
async function withMuchData(): Promise<Fixture> {
  const place = await fixture()
  for (let part = 0; part < 8; part += 1) {
    await writeFile(join(place.folder, `app/certs/part-${part}.bin`), randomBytes(48 * 1024 * 1024))
  }
  return place
}

test('a backup asks twice for a passphrase, shows its strength and never what was typed', async () => {
  await using place = await fixture()
  await place.shell(withoutSeal)
  const terminal = onTerminal(place, 'sealift backup -c unsealed.yaml')
  await terminal.until(/New passphrase/)
  terminal.type(`${passphrase}\r`)
  await terminal.until(/The same again/)
  terminal.type(`${passphrase}\r`)
  const shown = await terminal.end()
  assert.match(shown, /Strength: strong/)
  assert.match(shown, /Backed up\.[^]*code 0/)
  assert.doesNotMatch(shown, /otter/)
  await place.shell(`(umask 077; echo '${passphrase}' > typed)`)
  const verified = await place.shell('sealift verify latest --passphrase-file typed')
  assert.equal(verified.exit, 0)
})

test('two that differ are asked again', async () => {
  await using place = await fixture()
  await place.shell(withoutSeal)
  const terminal = onTerminal(place, 'sealift backup -c unsealed.yaml')
  await terminal.until(/New passphrase/)
  terminal.type(`${passphrase}\r`)
  await terminal.until(/The same again/)
  terminal.type('something else entirely\r')
  await terminal.until(/the two passphrases differ; again, please\s+New passphrase/)
  terminal.type(`${passphrase}\r`)
  await terminal.until(/differ[^]*The same again/)
  terminal.type(`${passphrase}\r`)
  assert.match(await terminal.end(), /Backed up\.[^]*code 0/)
})

test('to open, it asks once, also while standard input and output are in use', async () => {
  await using place = await fixture()
  await place.shell('sealift backup -q')
  const command = `cat archives/*.sealift | sealift unseal - --no-config 2>errors | zstd -dq | tar t > list`
  const terminal = onTerminal(place, command)
  await terminal.until(/Passphrase: /)
  terminal.type('correct horse battery staple\r')
  await terminal.end()
  const { stdout } = await place.shell('cat list errors')
  assert.match(stdout, /^database\/notes\.db$/m)
})

test('Ctrl-C at the question ends with 130, leaves nothing and gives the terminal back', async () => {
  await using place = await fixture()
  await place.shell(withoutSeal)
  const terminal = onTerminal(place, 'sealift backup -c unsealed.yaml')
  await terminal.until(/New passphrase/)
  terminal.type('half of\u0003')
  const shown = await terminal.end()
  assert.match(shown, /the run was stopped; nothing was left behind[^]*code 130\s+echo/)
  assert.doesNotMatch(shown, /-echo/)
  assert.deepEqual(await left(place), [])
})

test('Ctrl-C during a backup ends with 130 and leaves nothing', async () => {
  await using place = await withMuchData()
  const terminal = onTerminal(place, 'sealift backup')
  await terminal.until(/sealing notes {2}\d/)
  terminal.type('\u0003')
  assert.match(await terminal.end(), /nothing was left behind[^]*code 130/)
  assert.deepEqual(await left(place), [])
})

test('Ctrl-C during a restore ends with 130 and leaves what was there', async () => {
  await using place = await withMuchData()
  await place.shell('sealift backup -q; echo old > app/certs/ca.pem')
  const before = await readdir(join(place.folder, 'app'))
  const terminal = onTerminal(place, 'sealift restore latest --force')
  await terminal.until(/restoring \S+ {2}\d/)
  terminal.type('\u0003')
  assert.match(await terminal.end(), /nothing was left behind[^]*code 130/)
  assert.equal((await place.shell('cat app/certs/ca.pem')).stdout, 'old\n')
  assert.deepEqual(await readdir(join(place.folder, 'app')), before)
})

test('SIGTERM and SIGHUP end a backup with 143 and 129 and leave nothing', async () => {
  await using place = await withMuchData()
  for (const [signal, code] of [
    ['TERM', 143],
    ['HUP', 129],
  ] as const) {
    const { stdout, stderr } = await place.shell(`sealift backup & pid=$!
      until [ -n "$(find archives -type f 2>/dev/null)" ]; do sleep 0.02; done
      kill -${signal} $pid; wait $pid; echo "code $?"`)
    assert.match(stdout, new RegExp(`code ${code}`))
    assert.match(stderr, /nothing was left behind/)
    assert.deepEqual(await left(place), [])
  }
})

test('progress is one line of less than 80 columns that is gone at the end', async () => {
  await using place = await withMuchData()
  const shown = await onTerminal(place, 'sealift backup').end()
  const drawn = shown.split(eraseLine).map((part) => part.split('\r')[0] ?? '')
  assert.ok(drawn.some((line) => /^sealing notes {2}[\d.]+ MiB of [\d.]+ MiB {2}\d+ %/.test(line)))
  for (const line of drawn) assert.ok(line.length < 80, line)
  assert.match(drawn.at(-1) ?? '', /Backed up\./)
})

test('there is no progress for a pipe, a dumb terminal or --quiet', async () => {
  await using place = await fixture()
  const piped = await place.shell('sealift backup')
  assert.equal(piped.stderr, '')
  const dumb = await onTerminal(place, 'sealift backup', { TERM: 'dumb' }).end()
  const quiet = await onTerminal(place, 'sealift backup --quiet').end()
  for (const shown of [dumb, quiet]) assert.ok(!shown.includes(escape), shown)
  assert.match(quiet, /^code 0/)
})

test('colours are for terminals, and NO_COLOR takes them away', async () => {
  await using place = await fixture()
  const failing = 'sealift verify latest'
  const coloured = await onTerminal(place, failing).end()
  const plain = await onTerminal(place, failing, { NO_COLOR: '1' }).end()
  const piped = await place.shell(failing)
  assert.ok(coloured.includes(`${escape}[31msealift:`), coloured)
  assert.ok(!plain.includes(`${escape}[31m`), plain)
  assert.ok(!piped.stderr.includes(escape), piped.stderr)
})

test('bytes of an archive are not written to a terminal', async () => {
  await using place = await fixture()
  await place.shell('sealift backup -q')
  const shown = await onTerminal(place, 'sealift unseal latest').end()
  assert.match(shown, /standard output is a terminal[^]*code 64/)
})
