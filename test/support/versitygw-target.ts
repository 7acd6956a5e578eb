import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { S3Connection } from '../../src/targets/s3-connection.ts'
import { listObjects } from '../../src/targets/s3-objects.ts'
import type { S3Options } from '../../src/targets/s3-options.ts'
import { listUploads } from '../../src/targets/s3-uploads.ts'
import { s3 } from '../../src/targets/s3.ts'
import type { Target } from '../../src/targets/target.ts'
import type { TargetUnderTest } from '../suites/target.ts'
import { credentials } from './versitygw-server.ts'

export interface S3UnderTest extends TargetUnderTest {
  readonly options: S3Options
  readonly scratch: string
}

let count = 0

/** A target over a prefix of its own in the bucket `archives`. */
export async function s3UnderTest(endpoint: string): Promise<S3UnderTest> {
  const scratch = await mkdtemp(join(tmpdir(), 'sealift-s3-scratch-'))
  const options = { bucket: 'archives', prefix: `run-${++count}`, endpoint, region: 'us-east-1' }
  const target: Target = s3.open('bucket', options, scratch)
  return {
    options,
    scratch,
    target,
    residue: async () => await residueOf(options),
    async [Symbol.asyncDispose]() {
      await rm(scratch, { recursive: true, force: true })
    },
  }
}

/** Every object below the prefix, and every upload as `name (upload)`. */
async function residueOf(options: S3Options): Promise<string[]> {
  const at = new S3Connection('residue', options)
  const prefix = `${options.prefix}/`
  const objects = await Array.fromAsync(listObjects(at, prefix))
  const uploads = await Array.fromAsync(listUploads(at, prefix))
  const names = [...objects.map(({ key }) => key), ...uploads.map(({ key }) => `${key} (upload)`)]
  return names.map((key) => key.slice(prefix.length)).toSorted()
}

/** Writes a part of an archive from another process, and kills that process with SIGKILL. */
export async function abandonedUpload({ options, scratch }: S3UnderTest, name: string): Promise<void> {
  const args = [fileURLToPath(import.meta.url), JSON.stringify(options), scratch, name]
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env['PATH'], ...credentials },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'exit')
}

if (import.meta.main) {
  const [options = '{}', scratch = '', name = ''] = process.argv.slice(2)
  const writer = await s3.open('bucket', JSON.parse(options) as S3Options, scratch).create(name)
  writer.stream.write(Buffer.alloc(20_000_000), () => process.stdout.write('written\n'))
  setInterval(() => undefined, 1000)
}
