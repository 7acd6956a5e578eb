import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { runScript } from './script.ts'
import type { Surroundings } from './script.ts'

/** The scratch folder that everything of a run lies in, and the environment in which the contestants meet. */
export interface Ground extends AsyncDisposable {
  readonly folder: string
  /** Where scripts run, with the folder `data` below this one. */
  around(dataParent: string): Surroundings
}

const bin = path.resolve(import.meta.dirname, '../bin')
const foreignSettings = /^(SEALIFT|RESTIC|BORG|GNUPG|GZIP|ZSTD|XZ|TAR|AGE)_|^(CREDENTIALS_DIRECTORY|GZIP)$/

/** Makes the folder and the keys of all contestants. Disposing it ends gpg's agent, and removes the folder. */
export async function enterGround(signal: AbortSignal): Promise<Ground> {
  const folder = mkdtempSync(path.join(tmpdir(), 'sealift-bench-'))
  const keys = path.join(folder, 'keys')
  const around = (dataParent: string): Surroundings => ({
    cwd: folder,
    env: environment(folder, keys, dataParent),
    signal,
  })
  const ground = {
    folder,
    around,
    async [Symbol.asyncDispose]() {
      const agent = 'command -v gpgconf > /dev/null && gpgconf --kill gpg-agent || true'
      await runScript(agent, { ...around(folder), signal: new AbortController().signal })
      rmSync(folder, { recursive: true, force: true })
    },
  }
  mkdirSync(path.join(keys, 'gnupg'), { recursive: true, mode: 0o700 })
  writeFileSync(path.join(keys, 'passphrase'), `${randomBytes(16).toString('hex')}\n`, { mode: 0o600 })
  const agePair = 'age-keygen -o "$KEYS/age-key" && age-keygen -y "$KEYS/age-key" > "$KEYS/age-recipient"'
  await runScript(`if command -v age-keygen > /dev/null; then ${agePair}; fi`, around(folder))
  return ground
}

function environment(folder: string, keys: string, dataParent: string): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !foreignSettings.test(name))
  return {
    ...Object.fromEntries(inherited),
    PATH: `${bin}:${process.env['PATH'] ?? ''}`,
    LC_ALL: 'C.UTF-8',
    DATA_PARENT: dataParent,
    KEYS: keys,
    GNUPGHOME: path.join(keys, 'gnupg'),
    RESTIC_PASSWORD_FILE: path.join(keys, 'passphrase'),
    RESTIC_CACHE_DIR: path.join(folder, 'work', 'cache'),
    BORG_PASSCOMMAND: `cat ${path.join(keys, 'passphrase')}`,
    BORG_BASE_DIR: path.join(folder, 'work', 'base'),
    BORG_RELOCATED_REPO_ACCESS_IS_OK: 'yes',
  }
}
