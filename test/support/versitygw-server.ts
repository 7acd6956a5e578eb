import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** script/setup brings it. */
const program = resolve(import.meta.dirname, '../../.cache/versitygw-v1.8.0/versitygw')

/** The credentials of the server, as the environment of a process that uses it. */
export const credentials = { AWS_ACCESS_KEY_ID: 'tester', AWS_SECRET_ACCESS_KEY: 'of-this-test-only' }

export interface Versitygw extends AsyncDisposable {
  readonly endpoint: string
  readonly port: number
  /** A folder there is a bucket. */
  readonly folder: string
}

/** Starts a real S3 server on a free loopback port, over a fresh folder with the bucket `archives`. */
export async function versitygw(): Promise<Versitygw> {
  if (!existsSync(program)) throw new Error(`${program} is missing: run script/setup`)
  const root = await mkdtemp(join(tmpdir(), 'sealift-s3-'))
  const folder = join(root, 'buckets')
  await mkdir(join(folder, 'archives'), { recursive: true })
  await mkdir(join(root, 'attributes'))
  const port = await freePort()
  const args = ['--port', `127.0.0.1:${port}`, '--quiet', '--keep-alive', 'posix']
  // Its own notes lie in files: not every /tmp has extended attributes.
  const server = spawn(program, [...args, folder], {
    env: {
      PATH: process.env['PATH'],
      ROOT_ACCESS_KEY: credentials.AWS_ACCESS_KEY_ID,
      ROOT_SECRET_KEY: credentials.AWS_SECRET_ACCESS_KEY,
    },
    stdio: 'ignore',
  })
  const ended = once(server, 'exit')
  await Promise.race([
    answering(port),
    ended.then(([code]) => Promise.reject(new Error(`versitygw ended with ${String(code)}`))),
  ])
  return {
    endpoint: `http://127.0.0.1:${port}`,
    port,
    folder,
    async [Symbol.asyncDispose]() {
      server.kill('SIGKILL')
      await ended
      await rm(root, { recursive: true, force: true })
    },
  }
}

/** A loopback port that nothing listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Waits until something listens on a loopback port. */
export async function answering(port: number): Promise<void> {
  for (;;) {
    const listens = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1')
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
      socket.once('connect', () => socket.destroy())
    })
    if (listens) return
    await sleep(20)
  }
}
