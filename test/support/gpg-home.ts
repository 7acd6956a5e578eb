import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface GpgAnswer {
  readonly code: number | null
  readonly out: Buffer
  readonly err: string
}

export interface GpgHome extends AsyncDisposable {
  readonly path: string
  join(...parts: string[]): string
  /** The first line of these bytes is the passphrase of the runs that follow. */
  passphrase(bytes: Buffer | string): Promise<void>
  /** The standard output; throws with what gpg says where it does not end with 0. */
  gpg(args: readonly string[], input?: Buffer): Buffer
  try(args: readonly string[], input?: Buffer): GpgAnswer
}

/** The real gpg with a home of its own, which is gone at the end, and its agent with it. */
export async function gpgHome(): Promise<GpgHome> {
  const path = await mkdtemp(join(tmpdir(), 'sealift-gpg-'))
  const file = join(path, 'passphrase')
  await writeFile(file, 'correct horse\n', { mode: 0o600 })
  const options = ['--homedir', path, '--batch', '--yes', '--quiet', '--no-symkey-cache', '--pinentry-mode']
  options.push('loopback', '--passphrase-file', file, '--trust-model', 'always')
  const attempt = (args: readonly string[], input?: Buffer): GpgAnswer => {
    const run = spawnSync('gpg', [...options, ...args], { input, maxBuffer: 2 ** 30 })
    if (run.error !== undefined) throw run.error
    return { code: run.status, out: run.stdout, err: run.stderr.toString() }
  }
  return {
    path,
    join: (...parts) => join(path, ...parts),
    passphrase: (bytes) => writeFile(file, bytes, { mode: 0o600 }),
    try: attempt,
    gpg: (args, input) => {
      const { code, out, err } = attempt(args, input)
      if (code !== 0) throw new Error(`gpg ended with ${code}: ${err}`)
      return out
    },
    [Symbol.asyncDispose]: async () => {
      execFileSync('gpgconf', ['--homedir', path, '--kill', 'gpg-agent'])
      await rm(path, { recursive: true, force: true })
    },
  }
}
