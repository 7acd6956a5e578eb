import { spawn } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

const root = resolve(import.meta.dirname, '../..')

/** A folder with a small application, its configuration, its passphrase and a state folder of its own. */
export interface Fixture extends AsyncDisposable {
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
  /** Runs a shell command in it, without a terminal unless it makes one itself. */
  shell(command: string): Promise<{ readonly stdout: string; readonly stderr: string; readonly exit: number }>
}

export async function fixture(): Promise<Fixture> {
  const folder = await mkdtemp(join(tmpdir(), 'sealift-cli-'))
  await mkdir(join(folder, 'app/certs'), { recursive: true })
  const database = new DatabaseSync(join(folder, 'app/notes.db'))
  database.exec('PRAGMA journal_mode = WAL; CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT)')
  database.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200)
    INSERT INTO notes (body) SELECT 'note ' || i FROM n`)
  database.close()
  await writeFile(join(folder, 'app/certs/ca.pem'), '-----BEGIN CERTIFICATE-----\n')
  await symlink('ca.pem', join(folder, 'app/certs/current.pem'))
  await writeFile(join(folder, 'sealift.yaml'), configuration)
  await writeFile(join(folder, 'pass'), 'correct horse battery staple\n')
  await writeFile(join(folder, 'wrong'), 'incorrect horse battery staple\n')
  for (const secret of ['pass', 'wrong']) await chmod(join(folder, secret), 0o600)
  await mkdir(join(folder, 'bin'))
  await writeFile(join(folder, 'bin/sql'), sql, { mode: 0o755 })
  const own = [join(folder, 'bin'), join(root, 'bin'), join(root, 'node_modules/.bin')]
  const env = {
    PATH: [...own, process.env['PATH'] ?? ''].join(':'),
    HOME: folder,
    SEALIFT_STATE_DIR: join(folder, 'state'),
    LC_ALL: 'C.UTF-8',
    TERM: 'xterm',
  }
  return {
    folder,
    env,
    shell: (command) => shell(command, folder, env),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  }
}

/** `sql FILE STATEMENT` prints the first value that the statement gives, if any: the sqlite3 program is not everywhere. */
const sql = `#!/usr/bin/env -S node --disable-warning=ExperimentalWarning
const { DatabaseSync } = require('node:sqlite')
const row = new DatabaseSync(process.argv[2]).prepare(process.argv[3]).get()
if (row !== undefined) console.log(String(Object.values(row)[0]))
`

const configuration = `version: 1
app: notes
sources:
  - name: database
    kind: sqlite
    path: app/notes.db
  - name: certs
    kind: files
    path: app/certs
targets:
  - name: disk
    kind: local
    path: archives
seal:
  passphrase_file: pass
retention:
  keep_last: 2
`

/** `detached` starts a session of its own, so there is no controlling terminal even where the tests run on one. */
async function shell(
  command: string,
  cwd: string,
  env: NodeJS.ProcessEnv,
): Promise<{ stdout: string; stderr: string; exit: number }> {
  const child = spawn('bash', ['-c', command], {
    cwd,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  child.on('error', reject)
  child.on('close', (code) => resolve(code ?? -1))
  const exit = await promise
  return { stdout, stderr, exit }
}
