import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { Application } from './application.ts'
import { buildApplication, database, fingerprints } from './bundle.ts'
import type { Before, Telling } from './telling.ts'

const config = `version: 1
app: notes
state_dir: ./state
sources:
  - { name: database, kind: sqlite, path: ./app/notes.db }
  - { name: certs, kind: files, path: ./app/certs }
  - { name: env, kind: files, path: ./app/notes.env }
targets:
  - { name: local, kind: local, path: ./archives }
seal:
  passphrase_file: ./passphrase
retention:
  keep_last: 7
`

const someNotes = 100

/** Builds the application, backs it up, looks at the archive, and loses the application. */
export async function beforeDisaster(telling: Telling): Promise<Before> {
  const { folder, shell, chapter } = telling
  chapter(
    'An application',
    'A SQLite database in WAL mode, certificates of an authority of its own, and an env file with secrets.',
  )
  const app = path.join(folder, 'app')
  buildApplication(app)
  writeFileSync(path.join(folder, 'sealift.yaml'), config)
  const passphrase = randomBytes(16).toString('hex').match(/.{8}/g) ?? []
  writeFileSync(path.join(folder, 'passphrase'), `${passphrase.join('-')}\n`, { mode: 0o600 })
  await shell.run('find app -type f | sort')
  await shell.run('cat sealift.yaml')
  const before = { fingerprints: fingerprints(app), ...(await backUp(telling, app)) }
  await examine(telling, before.archive)
  chapter('The disaster', 'The application was killed as by a power cut; now its folder goes as well.')
  await shell.run('rm -r app && ls')
  return before
}

async function backUp({ folder, shell, proof, signal, chapter }: Telling, app: string) {
  chapter('A backup while it writes', 'Another process commits one note after another, and goes on with it.')
  await using application = new Application(path.join(app, database))
  await application.commits(someNotes, signal)
  const noteAtStart = application.committed
  await shell.run('sealift backup')
  const meanwhile = application.committed - noteAtStart
  await application.commits(someNotes, signal)
  await application.kill()
  proof.holds(
    `The application was not stopped: it committed ${meanwhile} notes while the backup ran.`,
    meanwhile > 0,
  )
  const archives = readdirSync(path.join(folder, 'archives'))
  proof.holds('The backup is one file, and nothing else lies beside it.', archives.length === 1)
  return { noteAtStart, noteAtEnd: application.committed, archive: `archives/${archives.join()}` }
}

/** Shows the archive, and that a changed one is refused. */
async function examine({ folder, shell, proof, chapter }: Telling, archive: string): Promise<void> {
  chapter('What is in the archive', 'The header needs no key. To verify is to read every byte back.')
  await shell.run('sealift list')
  await shell.run('sealift inspect latest')
  await shell.run('sealift verify latest')
  proof.holds('Sealift read every tag, checksum and index entry of the archive back.', true)
  chapter('One changed bit', 'In a copy of the archive, somewhere in the middle.')
  const bytes = readFileSync(path.join(folder, archive))
  const middle = bytes.length >> 1
  bytes.writeUInt8(bytes.readUInt8(middle) ^ 1, middle)
  const copy = path.join(folder, 'changed.sealift')
  writeFileSync(copy, bytes)
  await shell.run('sealift verify ./changed.sealift', integrityExit)
  proof.holds('A copy with one changed bit was refused.', true)
  rmSync(copy)
}

/** Exit code 65 of `sealift`: an archive is not what was sealed (docs/cli.md). */
const integrityExit = 65
