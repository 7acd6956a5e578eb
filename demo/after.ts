import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { Application } from './application.ts'
import { certificatesHold, database, fingerprints, settled, sha256 } from './bundle.ts'
import { Ledger } from './ledger.ts'
import { findPython } from './python.ts'
import type { Before, Telling } from './telling.ts'
import { quoted } from './shell.ts'

const reader = path.resolve(import.meta.dirname, '../spec/reference/unseal.py')

/** Brings the application back, compares it with what it was, opens the archive without Sealift, and starts it again. */
export async function afterDisaster(telling: Telling, before: Before): Promise<void> {
  const app = path.join(telling.folder, 'app')
  telling.chapter('Bringing it back', 'All is verified before the first file is put in its place.')
  await telling.shell.run('sealift restore latest')
  const restored = sha256(path.join(app, database))
  const rows = compare(telling, app, before)
  await openWithoutSealift(telling, { ...before, restored, rows })
  await carryOn(telling, path.join(app, database), rows)
}

/** Compares what was restored with what was lost; returns the number of notes. */
function compare({ proof }: Telling, app: string, before: Before): number {
  using ledger = new Ledger(path.join(app, database))
  const { rows, flaws } = ledger.audit()
  proof.holds(
    `The restored database is of one moment: integrity_check is ok, it has notes 1 to ${rows} without a gap, each with its hash, and its other table agrees.`,
    flaws.length === 0,
    flaws.join('; '),
  )
  proof.holds(
    `No note is lost that was committed before the backup began (the last was ${before.noteAtStart}).`,
    rows >= before.noteAtStart && rows <= before.noteAtEnd,
    `${rows} notes`,
  )
  const now = fingerprints(app)
  const differing = settled.filter((name) => now[name] !== before.fingerprints[name])
  proof.holds(
    'The certificates, the private key and the env file are the same to the byte, and so are their modes.',
    differing.length === 0,
    differing.join(', '),
  )
  return rows
}

interface Expected extends Before {
  /** Checksum of the restored database, before anything opened it. */
  readonly restored: string
  readonly rows: number
}

async function openWithoutSealift(
  { folder, shell, proof, chapter }: Telling,
  expected: Expected,
): Promise<void> {
  chapter(
    'Without Sealift',
    'The same archive opened by the reference reader in Python, zstd and tar. It stands in the specification, and shares no line with the program.',
  )
  const opened = path.join(folder, 'opened')
  mkdirSync(opened, { mode: 0o700 })
  const python = findPython()
  const unseal = `${python} ${quoted(reader)} \\\n    ../${expected.archive} \\\n    --passphrase-file ../passphrase`
  await shell.run(`cd opened && ${unseal} | zstd -d | tar x`)
  const sums = await shell.run('cd opened && sha256sum -c SHA256SUMS')
  const members = readFileSync(path.join(opened, 'SHA256SUMS'), 'utf8').trim().split('\n')
  proof.holds(
    `Stock tools opened the archive without Sealift, and all ${members.length} files in it have their checksums.`,
    members.length > settled.length &&
      sums
        .trim()
        .split('\n')
        .every((line) => line.endsWith(': OK')),
  )
  const unsealed = sha256(path.join(opened, 'database', database))
  proof.holds('They gave the same database as the restore, to the byte.', unsealed === expected.restored)
  const counted = countedRows(path.join(opened, 'MANIFEST.json'))
  proof.holds(
    `The manifest had counted the same ${expected.rows} notes.`,
    counted === expected.rows,
    `${counted}`,
  )
  rmSync(opened, { recursive: true })
}

function countedRows(manifest: string): number | undefined {
  const { sources } = JSON.parse(readFileSync(manifest, 'utf8')) as {
    sources: { name: string; rows?: Record<string, number> }[]
  }
  return sources.find(({ name }) => name === 'database')?.rows?.['notes']
}

async function carryOn(
  { shell, signal, proof, chapter }: Telling,
  file: string,
  rows: number,
): Promise<void> {
  chapter('It runs again', 'The certificates are still trusted, and the application writes its next notes.')
  await shell.run('openssl verify -CAfile app/certs/ca.crt app/certs/server.crt')
  const certificates = certificatesHold(path.dirname(file))
  proof.holds("The server's certificate verifies against the authority, and its key fits.", certificates)
  await using application = new Application(file)
  await application.commits(1, signal)
  proof.holds(`The application went on with note ${rows + 1}.`, application.first === rows + 1)
}
