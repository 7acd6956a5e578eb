import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join, relative } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { TestBundle } from './mastio-bundle.ts'

export interface GpgOptions {
  readonly passphrase: string
  /** In the name of the file. */
  readonly stamp?: string
  /** Further arguments, as `--compress-algo none`. */
  readonly gpg?: readonly string[]
}

const usualStamp = '20260514T103025Z'

/**
 * What the vendor's page makes, with its literal commands and a local `sqlite3`: `data/mcp_proxy.db.snapshot`,
 * `nginx-certs/`, `certs/` and `proxy.env`. Gives the path of the archive in `folder`.
 */
export function seedArchive(bundle: TestBundle, folder: string, options: GpgOptions): string {
  const { stamp = usualStamp } = options
  const snapshot = `${bundle.database}.snapshot`
  execFileSync('sqlite3', [bundle.database, `.backup ${snapshot}`])
  const tar = join(folder, `cullis-mastio-backup-${stamp}.tar.gz`)
  const members = ['data/mcp_proxy.db.snapshot', 'nginx-certs/', 'certs/', 'proxy.env']
  execFileSync('tar', ['czf', tar, ...members], { cwd: bundle.path })
  rmSync(snapshot)
  return encrypt(tar, folder, options)
}

export interface EnterpriseOptions extends GpgOptions {
  /** Changes the staged folder before it is packed; `MANIFEST.txt` is there already. */
  readonly change?: (stage: string) => void
}

/** What the enterprise script makes: a `./` root entry and a `MANIFEST.txt` whose own size is wrong. */
export function enterpriseArchive(bundle: TestBundle, folder: string, options: EnterpriseOptions): string {
  const { stamp = usualStamp, change } = options
  const stage = join(folder, 'stage')
  mkdirSync(join(stage, 'data'), { recursive: true })
  execFileSync('sqlite3', [bundle.database, `.backup ${join(stage, 'data/mcp_proxy.db')}`])
  for (const [from, name] of [
    [bundle.nginxCerts, 'nginx-certs'],
    [bundle.samlKeys, 'saml-keys'],
  ] as const) {
    if (statSync(from, { throwIfNoEntry: false }) !== undefined)
      cpSync(from, join(stage, name), { recursive: true })
  }
  const placeholder = '<REDACTED-RECOVER-FROM-CULLIS-SECURITY>'
  const env = readFileSync(join(bundle.path, 'proxy.env'), 'latin1')
  const redacted = env.replaceAll(/^(CULLIS_LICENSE_KEY=).*/gm, `$1${placeholder}`)
  writeFileSync(join(stage, 'proxy.env'), redacted, { encoding: 'latin1', mode: 0o600 })
  writeFileSync(join(stage, 'MANIFEST.txt'), manifestOf(stage, stamp))
  change?.(stage)
  const tar = join(folder, `cullis-mastio-enterprise-backup-${stamp}.tar.gz`)
  execFileSync('tar', ['czf', tar, '-C', stage, '.'])
  rmSync(stage, { recursive: true })
  return encrypt(tar, folder, options)
}

function manifestOf(stage: string, stamp: string): string {
  const files = readdirSync(stage, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(stage, join(entry.parentPath, entry.name)))
    .toSorted()
  const sum = (name: string): string =>
    createHash('sha256')
      .update(readFileSync(join(stage, name)))
      .digest('hex')
  return [
    'Backup of a synthetic bundle',
    'Bundle path: /opt/bundle',
    `Backup taken: ${stamp}`,
    'Bundle version: 0.4.4',
    'Host: mastio.acme.test',
    '',
    'Contents:',
    '  ./MANIFEST.txt  (151 bytes)',
    ...files.map((name) => `  ./${name}  (${statSync(join(stage, name)).size} bytes)`),
    '',
    'SHA256 checksums:',
    ...files.map((name) => `${sum(name)}  ./${name}`),
    '',
  ].join('\n')
}

/** A member that no honest tool would write: any name, any type (`0` file, `1` hard link, `2` symlink, `3` device). */
export interface RawMember {
  readonly name: string
  readonly type?: '0' | '1' | '2' | '3' | '4' | '5' | '6'
  readonly link?: string
  readonly content?: Uint8Array | string
}

/** Packs members as they are given, in order, and encrypts the whole as a seed archive. */
export function hostileArchive(members: readonly RawMember[], folder: string, options: GpgOptions): string {
  const tar = join(folder, `cullis-mastio-backup-${options.stamp ?? usualStamp}.tar.gz`)
  writeFileSync(tar, gzipSync(Buffer.concat([...members.map(tarMember), Buffer.alloc(1024)])))
  return encrypt(tar, folder, options)
}

function tarMember({ name, type = '0', link = '', content = '' }: RawMember): Buffer {
  const body = Buffer.from(content)
  const header = Buffer.alloc(512)
  const put = (text: string, at: number): void => void header.write(text, at, 'latin1')
  put(name, 0)
  put('0000644\0', 100)
  put('0000000\0', 108)
  put('0000000\0', 116)
  put(`${body.length.toString(8).padStart(11, '0')}\0`, 124)
  put('15206000000\0', 136)
  put(' '.repeat(8), 148)
  put(type, 156)
  put(link, 157)
  put('ustar\u000000', 257)
  const sum = header.reduce((total, byte) => total + byte, 0)
  put(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return Buffer.concat([header, body, Buffer.alloc((512 - (body.length % 512)) % 512)])
}

/** Encrypts a file as the vendor's page does, with a home and a passphrase file of its own; takes the plain one away. */
export function encrypt(path: string, folder: string, { passphrase, gpg = [] }: GpgOptions): string {
  const home = join(folder, 'gnupg')
  mkdirSync(home, { recursive: true, mode: 0o700 })
  const file = join(folder, 'backup.pass')
  writeFileSync(file, `${passphrase}\n`, { mode: 0o400 })
  const output = `${path}.gpg`
  const seed = ['--symmetric', '--cipher-algo', 'AES256', '--batch', '--passphrase-file', file]
  try {
    execFileSync('gpg', ['--homedir', home, ...seed, ...gpg, '--output', output, path], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
  } finally {
    execFileSync('gpgconf', ['--homedir', home, '--kill', 'gpg-agent'])
    for (const made of [file, home, path]) rmSync(made, { recursive: true, force: true })
  }
  return output
}

/** The same archive under another moment. */
export function restamped(path: string, stamp: string): string {
  const other = path.replace(/\d{8}T\d{6}Z/, stamp)
  copyFileSync(path, other)
  return other
}
