import { createHash, randomBytes, X509Certificate, createPrivateKey } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { Ledger } from './ledger.ts'

const notesAtFirst = 20_000

/** The application's files below its folder, beside the database. */
export const settled = ['certs/ca.crt', 'certs/server.crt', 'certs/server.key', 'notes.env'] as const
export const database = 'notes.db'

/** Builds the application in a folder: a database in WAL mode, certificates of its own authority, an env file. */
export function buildApplication(folder: string): void {
  mkdirSync(folder, { mode: 0o750 })
  using ledger = new Ledger(path.join(folder, database))
  ledger.create()
  ledger.write(notesAtFirst)
  buildCertificates(path.join(folder, 'certs'))
  const secret = (): string => randomBytes(24).toString('base64url')
  const env = `NOTES_URL=https://notes.example\nNOTES_ADMIN_SECRET=${secret()}\nNOTES_SESSION_KEY=${secret()}\n`
  writeFileSync(path.join(folder, 'notes.env'), env, { mode: 0o600 })
}

function buildCertificates(folder: string): void {
  mkdirSync(folder, { mode: 0o750 })
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  }
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
    '-days',
    '365',
    '-subj',
    '/CN=Notes CA',
  )
  openssl('req', ...key, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=notes.example')
  const signing = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-set_serial', '0x2a', '-days', '90']
  openssl('x509', '-req', '-in', 'server.csr', ...signing, '-out', 'server.crt')
  // The authority's key belongs in a safe, not beside the server.
  for (const name of ['ca.key', 'server.csr']) rmSync(path.join(folder, name))
  chmodSync(path.join(folder, 'server.key'), 0o600)
  for (const name of ['ca.crt', 'server.crt']) chmodSync(path.join(folder, name), 0o644)
}

/** Checksum and mode of each file that does not change while the application runs. */
export function fingerprints(folder: string): Record<string, string> {
  const entries = settled.map((name) => {
    const file = path.join(folder, name)
    return [name, `${sha256(file)} ${(statSync(file).mode & 0o7777).toString(8)}`] as const
  })
  return Object.fromEntries(entries)
}

/** Whether the server's certificate was signed by the authority beside it, and its private key is the right one. */
export function certificatesHold(folder: string): boolean {
  const read = (name: string): Buffer => readFileSync(path.join(folder, 'certs', name))
  const ca = new X509Certificate(read('ca.crt'))
  const server = new X509Certificate(read('server.crt'))
  return server.verify(ca.publicKey) && server.checkPrivateKey(createPrivateKey(read('server.key')))
}

export function sha256(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex')
}
