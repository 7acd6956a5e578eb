import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import type { RsyncOptions } from '../../src/targets/rsync-options.ts'
import { rsync } from '../../src/targets/rsync.ts'
import type { TargetUnderTest } from '../suites/target.ts'
import type { Sshd } from './sshd-server.ts'

export interface RsyncUnderTest extends TargetUnderTest {
  readonly options: RsyncOptions
  /** The folder on the other side. */
  readonly folder: string
  readonly scratch: string
}

/** A target over a fresh folder, reached through the SSH server. */
export async function rsyncUnderTest(
  server: Sshd,
  change: Partial<RsyncOptions> = {},
): Promise<RsyncUnderTest> {
  const root = await mkdtemp(join(tmpdir(), 'sealift-rsync-'))
  const folder = join(root, 'archives')
  const scratch = join(root, 'scratch')
  await mkdir(folder)
  const options: RsyncOptions = {
    host: '127.0.0.1',
    port: server.port,
    user: server.user,
    folder,
    ssh_key_file: server.key,
    known_hosts_file: server.knownHosts,
    ...change,
  }
  return {
    options,
    folder,
    scratch,
    target: rsync.open('far', options, scratch),
    residue: async () => (await readdir(folder)).toSorted(),
    async [Symbol.asyncDispose]() {
      await rm(root, { recursive: true, force: true })
    },
  }
}

/** Writes a part of an archive from another process, and kills that process with SIGKILL. */
export async function abandonedClaim({ options, scratch }: RsyncUnderTest, name: string): Promise<void> {
  const args = [fileURLToPath(import.meta.url), JSON.stringify(options), scratch, name]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'exit')
}

if (import.meta.main) {
  const [options = '{}', scratch = '', name = ''] = process.argv.slice(2)
  const writer = await rsync.open('far', JSON.parse(options) as RsyncOptions, scratch).create(name)
  writer.stream.write(Buffer.alloc(1_000_000), () => process.stdout.write('written\n'))
  setInterval(() => undefined, 1000)
}
