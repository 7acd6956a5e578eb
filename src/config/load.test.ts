import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { readConfig } from './load.ts'
import {
  add,
  input,
  load,
  problem,
  problems,
  recipient,
  sound,
  swap,
} from '../../test/support/config-example.ts'

test('a sound file becomes a config with defaults and absolute paths', () => {
  assert.deepEqual(load(sound), {
    path: '/srv/notes/sealift.yaml',
    app: 'notes',
    profile: 'generic',
    stateDir: '/var/lib/sealift',
    sources: [{ name: 'db', kind: 'sqlite', options: { path: '/srv/notes/app/app.db', timeout: 120 } }],
    targets: [{ name: 'local', kind: 'local', options: { path: '/srv/notes/archives' } }],
    seal: { passphraseFile: '/srv/notes/passphrase', recipients: [], compression: 'zstd' },
    retention: undefined,
    objectives: { rpo: 86_400, rto: 900, drillEvery: 7_948_800 },
    statusFile: undefined,
    controls: undefined,
  })
})

test('every key of the file arrives', () => {
  const config = load(`version: 1
app: notes
profile: mastio
state_dir: state
sources:
  - { name: db, kind: sqlite, path: /var/app/app.db, timeout: 5 }
  - { name: certs, kind: files, path: certs, include: ["*.pem"], exclude: ["*.tmp"] }
targets:
  - { name: local, kind: local, path: /backups }
seal:
  recipients: ["${recipient}"]
  compression: none
retention: { keep_last: 7, keep_yearly: 0 }
`)
  assert.equal(config.profile, 'mastio')
  assert.equal(config.stateDir, '/srv/notes/state')
  assert.deepEqual(config.sources, [
    { name: 'db', kind: 'sqlite', options: { path: '/var/app/app.db', timeout: 5 } },
    {
      name: 'certs',
      kind: 'files',
      options: { path: '/srv/notes/certs', include: ['*.pem'], exclude: ['*.tmp'] },
    },
  ])
  assert.deepEqual(config.seal, { passphraseFile: undefined, recipients: [recipient], compression: 'none' })
  assert.deepEqual(config.retention, { keep_last: 7, keep_yearly: 0 })
})

test('a config is frozen to its depth', () => {
  const config = load(sound)
  assert.throws(() => Object.assign(config.seal, { compression: 'none' }), TypeError)
  assert.throws(() => Object.assign(config.sources[0]?.options ?? {}, { path: '/' }), TypeError)
})

test('a byte order mark and CRLF change nothing', () => {
  assert.deepEqual(load(`\uFEFF${sound.replaceAll('\n', '\r\n')}`), load(sound))
})

test('all mistakes come at once, each with its line', () => {
  const found = problems(`version: 2
app: Notes
profil: generic
sources:
  - name: db
    kind: sqlitee
    path: a.db
  - name: certs
    kind: files
    path: 7
    exlude: []
targets: []
seal:
  compression: gzip
retention:
  keep_last: -1
  keep_daily: soon
`)
  assert.deepEqual(
    found.map(({ line, what }) => [line, what]),
    [
      [1, 'version 2 of this file is not known'],
      [2, '`app`: "Notes" must be 1 to 63 small letters, digits and `-`, and begin with a letter or digit'],
      [3, '`profil` is an unknown key'],
      [6, '`sources.db.kind`: "sqlitee" is unknown'],
      [10, '`sources.certs.path` is a number, and must be text'],
      [11, '`sources.certs.exlude` is an unknown key'],
      [12, '`targets` is an empty list'],
      [13, 'nothing says how archives are sealed'],
      [14, '`seal.compression`: "gzip" is unknown'],
      [16, '`retention.keep_last` is -1, and must be at least 0'],
      [17, '`retention.keep_daily` is text, and must be a number'],
    ],
  )
  assert.equal(found[2]?.fix, 'did you mean `profile`?')
  assert.equal(found[3]?.fix, 'did you mean `sqlite`? known: sqlite, files')
  assert.equal(found[5]?.fix, 'did you mean `exclude`?')
})

test('the message of the error holds every mistake', () => {
  assert.throws(() => load('version: 1\napp: notes\n'), {
    code: 'CONFIG_INVALID',
    message: [
      '/srv/notes/sealift.yaml has 3 mistakes:',
      '  line 1: `sources` is missing (add `sources:` with at least one entry, or run `sealift init`)',
      '  line 1: `targets` is missing (add `targets:` with at least one entry, or run `sealift init`)',
      '  line 1: nothing says how archives are sealed (add `seal:` with `passphrase_file` or `recipients`, or give --passphrase-file)',
    ].join('\n'),
  })
})

test('references are replaced, and a message shows the reference, not what it stands for', () => {
  const text = swap('app/app.db', '"${DATA:-app}/app.db"')
  const pathOf = (env: Record<string, string>): unknown => load(text, { env }).sources[0]?.options['path']
  assert.equal(pathOf({}), '/srv/notes/app/app.db')
  assert.equal(pathOf({ DATA: '/data' }), '/data/app.db')
  const wrong = problem(swap('app: notes', 'app: ${APP}'), { env: { APP: 'Hidden!' } })
  assert.match(wrong, /^2: `app`: "\$\{APP\}" must be/)
  assert.doesNotMatch(wrong, /Hidden/)
})

test('an unset variable is one mistake, with its line', () => {
  assert.match(problem(swap('app: notes', 'app: ${APP}')), /^2: the environment variable APP is not set/)
})

test('whatever becomes of the text, it is a configuration or CONFIG_INVALID with words for each mistake', () => {
  const pieces = [
    '{',
    '}',
    '[',
    ']',
    ': ',
    '- ',
    '\n',
    '\t',
    '"',
    '&a ',
    '*a',
    '!!set ',
    '? ',
    '~',
    '${X}',
    '$',
    '1e999',
    '#',
    '\0',
    '...',
  ]
  const text = add('retention: { keep_last: 7 }\nstate_dir: &a state\nprofile: generic')
  let seed = 1
  const next = (below: number): number => {
    seed = (seed * 48_271) % 2_147_483_647
    return seed % below
  }
  let refusals = 0
  for (let round = 0; round < 1500; round++) {
    let mutated = text
    for (let changes = next(3) + 1; changes > 0; changes--) {
      const at = next(mutated.length + 1)
      const piece = pieces[next(pieces.length)] ?? ''
      mutated = mutated.slice(0, at) + (next(2) === 0 ? piece : '') + mutated.slice(at + next(12))
    }
    const found = problems(mutated)
    refusals += Math.sign(found.length)
    for (const { what } of found) assert.doesNotMatch(what, /undefined|\[object|Invalid input/, mutated)
  }
  assert.ok(refusals > 1000)
})

test('a file without a way to seal loads when one is given elsewhere', () => {
  const text = swap('seal:\n  passphrase_file: ./passphrase\n', '')
  assert.match(problem(text), /nothing says how archives are sealed/)
  assert.equal(load(text, { sealGiven: true }).seal.passphraseFile, undefined)
})

test('the example of a file on disk is read, and its absence named', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'sealift-config-'))
  try {
    const file = path.join(folder, 'sealift.yaml')
    await assert.rejects(readConfig({ ...input, path: file }), { code: 'CONFIG_NOT_FOUND' })
    await writeFile(file, sound)
    assert.equal(
      (await readConfig({ ...input, path: file })).seal.passphraseFile,
      path.join(folder, 'passphrase'),
    )
    await writeFile(file, Buffer.from([0xff, 0xfe, 0x61, 0x00]))
    await assert.rejects(readConfig({ ...input, path: file }), {
      code: 'CONFIG_INVALID',
      message: /not UTF-8/,
    })
    await assert.rejects(readConfig({ ...input, path: folder }), { code: 'IO_FAILED' })
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('objectives are read as seconds, a status file and a table of controls as they stand', () => {
  const config = load(
    add(`objectives: { rpo: 7d, rto: 90s }
status_file: run/notes.json
controls:
  - { control: House rule 7, asks: a backup a day, rests_on: [backups, drills] }`),
  )
  assert.deepEqual(config.objectives, { rpo: 604_800, rto: 90, drillEvery: 7_948_800 })
  assert.equal(config.statusFile, '/srv/notes/run/notes.json')
  assert.deepEqual(config.controls, [
    { control: 'House rule 7', asks: 'a backup a day', rests_on: ['backups', 'drills'] },
  ])
})

test('a time that is none, and a ground that is unknown, are mistakes with their line', () => {
  for (const rpo of ['24', '0h', 'soon', '1.5d'])
    assert.match(
      problem(add(`objectives: { rpo: "${rpo}" }`)),
      /^9: `objectives.rpo`: "[^"]+" is no time: write/,
    )
  const line = 'controls: [{ control: a, asks: b, rests_on: [backup] }]'
  assert.match(problem(add(line)), /"backup" is unknown \(did you mean `backups`\?/)
  assert.match(problem(add('status_file: ~/status.json')), /`~` has no meaning/)
})
