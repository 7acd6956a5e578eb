import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { isSealiftError } from '../errors.ts'
import { globs as reader } from '../sources/globs.ts'
import { loadConfig } from './load.ts'

const globs = z.array(z.string()).optional()

/** The mistakes of a file with these sources and these targets, as lines of text. */
function mistakes(
  sources: string[],
  more: { targets?: string[]; rest?: string; stateDir?: string } = {},
): string[] {
  const targets = more.targets ?? ['{ name: local, kind: local, path: /backups }']
  const text = `version: 1
app: notes
sources:
${sources.map((source) => `  - ${source}`).join('\n')}
targets:
${targets.map((target) => `  - ${target}`).join('\n')}
${more.rest ?? 'seal: { passphrase_file: /etc/passphrase }'}
`
  try {
    loadConfig({
      path: '/srv/sealift.yaml',
      text,
      env: {},
      sourceOptions: {
        sqlite: z.object({ path: z.string() }),
        files: z.object({ path: z.string(), include: globs, exclude: globs }),
      },
      targetOptions: { local: z.object({ path: z.string() }) },
      profiles: ['generic'],
      grounds: ['backups'],
      globs: reader,
      defaultStateDir: more.stateDir ?? '/var/lib/sealift',
    })
    return []
  } catch (error) {
    if (!isSealiftError(error, 'CONFIG_INVALID')) throw error
    return error.data.problems.map(({ line, what, fix }) => `${line}: ${what} (${fix})`)
  }
}

/** The one mistake. */
function mistake(...given: Parameters<typeof mistakes>): string {
  const found = mistakes(...given)
  assert.equal(found.length, 1, found.join('\n'))
  return found.join()
}

const app = '{ name: app, kind: files, path: /srv/app }'

test('two sources, or two targets, of one name are refused', () => {
  assert.match(
    mistake(['{ name: a, kind: sqlite, path: a.db }', '{ name: a, kind: sqlite, path: b.db }']),
    /^5: two sources are called `a` \(the first on line 4\)/,
  )
  assert.match(
    mistake([app], {
      targets: ['{ name: t, kind: local, path: /one }', '{ name: t, kind: local, path: /two }'],
    }),
    /^7: two targets are called `t` \(the first on line 6\)/,
  )
})

test('two targets in one folder are refused: the copy would be none', () => {
  assert.match(
    mistake([app], {
      targets: ['{ name: t, kind: local, path: /one }', '{ name: u, kind: local, path: /two/../one/ }'],
    }),
    /^7: target `u` and target `t` are the same folder/,
  )
})

test('one database in two sources is refused, however its path is written', () => {
  assert.match(
    mistake([
      '{ name: a, kind: sqlite, path: app/app.db }',
      '{ name: b, kind: sqlite, path: /srv/./app//app.db }',
    ]),
    /^5: source `b` and source `a` are the same database/,
  )
})

test('a sidecar of a database is no database', () => {
  assert.match(
    mistake(['{ name: a, kind: sqlite, path: app.db-wal }']),
    /^4: source `a` names a sidecar.*without `-wal`/,
  )
})

test('a database inside a tree of files is no conflict', () => {
  assert.deepEqual(mistakes([app, '{ name: db, kind: sqlite, path: /srv/app/app.db }']), [])
})

test('a tree in a tree is refused unless the outer one leaves it out', () => {
  const certs = '{ name: certs, kind: files, path: /srv/app/certs }'
  assert.match(
    mistake([app, certs]),
    /^5: source `certs` lies in source `app`, which backs it up as well \(.*add "certs" to `exclude`/,
  )
  assert.match(mistake([certs, app]), /^4: source `certs` lies in source `app`/)
  assert.match(
    mistake([app, '{ name: again, kind: files, path: app/ }']),
    /^5: source `again` and source `app` are the same place/,
  )
  assert.match(mistake([app, '{ name: env, kind: files, path: app, include: [.env] }']), /are the same place/)
  assert.match(mistake([app, '{ name: db, kind: sqlite, path: app }']), /are the same place/)
  assert.deepEqual(mistakes(['{ name: app, kind: files, path: /srv/app, exclude: [certs] }', certs]), [])
  assert.deepEqual(mistakes(['{ name: app, kind: files, path: /srv/app, include: [.env] }', certs]), [])
  assert.deepEqual(mistakes([app, '{ name: other, kind: files, path: /srv/application }']), [])
})

test('archives inside a tree that is backed up are refused unless left out', () => {
  const targets = ['{ name: local, kind: local, path: /srv/app/var/archives }']
  assert.match(
    mistake([app], { targets }),
    /^6: target `local` lies in source `app`: each archive would hold the earlier ones \(.*add "var\/archives"/,
  )
  for (const exclude of ['var/archives', 'var/archives/**', 'var', '**/*.sealift', '*.sealift', 'archives']) {
    const source = `{ name: app, kind: files, path: /srv/app, exclude: [${JSON.stringify(exclude)}] }`
    assert.deepEqual(mistakes([source], { targets }), [], exclude)
  }
  const other = '{ name: app, kind: files, path: /srv/app, exclude: ["*.tmp", archive, var/archives/*.tmp] }'
  assert.match(mistake([other], { targets }), /each archive would hold/)
  const root = '{ name: all, kind: files, path: / , exclude: [etc, lib] }'
  assert.match(mistake([root], { targets }), /target `local` lies in source `all`/)
})

test('a passphrase file inside a tree that is backed up is refused', () => {
  const rest = 'seal:\n  passphrase_file: app/passphrase'
  assert.match(
    mistake([app], { rest }),
    /^8: `seal.passphrase_file` lies in source `app`: the archive would hold its own key/,
  )
  assert.deepEqual(mistakes(['{ name: app, kind: files, path: app, exclude: [passphrase] }'], { rest }), [])
})

test('a state folder inside a tree that is backed up is refused, the default one as well', () => {
  const rest = 'seal: { passphrase_file: /etc/passphrase }\nstate_dir: app/state'
  assert.match(mistake([app], { rest }), /^8: the state folder lies in source `app`/)
  assert.match(mistake([app], { stateDir: '/srv/app/.state' }), /the state folder lies in source `app`/)
})

test('places are compared even where other things are wrong', () => {
  const found = mistakes([app, '{ name: b, kind: nonsense }'], {
    targets: ['{ name: local, kind: local, path: app/archives, colour: red }'],
  })
  assert.equal(found.length, 3)
})
