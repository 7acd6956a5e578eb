import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { makeBundle } from '../../../test/support/mastio-bundle.ts'
import type { BundleOptions } from '../../../test/support/mastio-bundle.ts'
import { livePlaces } from '../../../test/support/mastio-places.ts'
import { testFolder } from '../../../test/support/tree-folder.ts'
import { stream } from '../../sources/process.ts'
import { mastio } from './mastio.ts'

const { signal } = new AbortController()

interface Case {
  readonly options?: BundleOptions
  /** What `docker` does, as a shell script; without it there is no such program. */
  readonly docker?: string
  readonly change?: (bundle: string, places: Map<string, string>) => void
}

/** What all guards of one moment say: nothing, or the reason. */
async function said(before: 'backup' | 'restore', given: Case = {}): Promise<string> {
  await using folder = await testFolder()
  const path = folder.join('bundle')
  mkdirSync(path)
  mkdirSync(folder.join('bin'))
  if (given.docker !== undefined)
    writeFileSync(folder.join('bin/docker'), `#!/bin/sh\n${given.docker}\n`, { mode: 0o755 })
  const places = livePlaces(makeBundle(path, given.options))
  given.change?.(path, places)
  const surroundings = {
    output: ([program = '', ...args]: readonly string[], stop: AbortSignal) =>
      // As PATH finds it; only the stand-in's folder is looked into.
      stream(folder.join('bin', program), args, { signal: stop, env: {} }),
  }
  try {
    for (const guard of mastio.guards ?? []) {
      if (guard.before === before) await guard.run(places, signal, surroundings)
    }
    return ''
  } catch (error) {
    assert.ok(error instanceof Error && 'code' in error)
    assert.equal(error.code, 'GUARD_REFUSED')
    assert.doesNotMatch(error.message, /hunter2/)
    return error.message
  }
}

test('a backup needs the database and proxy.env among its sources', async () => {
  assert.equal(await said('backup'), '')
  const without = (name: string): Promise<string> =>
    said('backup', { change: (_bundle, places) => void places.delete(name) })
  assert.match(await without('data'), /has no source `data`/)
  assert.match(await without('config'), /has no source `config`/)
  assert.equal(await without('certs'), '')
})

test('a bundle on PostgreSQL is not backed up', async () => {
  const options = { env: ['MCP_PROXY_DATABASE_URL=postgresql+asyncpg://u:hunter2@db/x'] }
  assert.match(await said('backup', { options }), /SQLite backup only/)
  assert.equal(await said('backup', { options: { env: ['MCP_PROXY_DATABASE_URL=sqlite:////data/x'] } }), '')
})

test('a restore waits until the stack is down', async () => {
  const listing = `[ "$*" = "compose -p cullis-mastio ps --quiet" ] && echo 0123456789ab && echo ba9876543210`
  assert.match(await said('restore', { docker: listing }), /cullis-mastio runs \(containers: 2\): .*--down/)
  assert.equal(await said('restore', { docker: 'exit 0' }), '')
  assert.equal(await said('restore'), '', 'no container engine, no container')
  const enterprise = `[ "$3" = cullis-mastio-enterprise ] && echo 0123456789ab || exit 0`
  assert.match(
    await said('restore', { docker: enterprise, options: { edition: 'enterprise' } }),
    /containers: 1/,
  )
  assert.equal(await said('restore', { docker: enterprise }), '')
  const named = {
    docker: '[ "$3" = acme ] && echo 01 || exit 0',
    options: { env: ['COMPOSE_PROJECT_NAME=acme'] },
  }
  assert.match(await said('restore', named), /project acme/)
  assert.match(
    await said('restore', { docker: listing, change: (_bundle, places) => void places.delete('config') }),
    /containers: 2/,
  )
})

test('a daemon that does not run runs nothing, one that does not answer is not trusted', async () => {
  const failing = (message: string): Promise<string> =>
    said('restore', { docker: `echo "${message}" >&2; exit 1` })
  assert.equal(await failing('Cannot connect to the Docker daemon at unix:///var/run/docker.sock.'), '')
  const denied = 'permission denied while trying to connect to the Docker daemon socket'
  assert.match(await failing(denied), /could not be asked/)
  assert.match(await failing('something else'), /could not be asked/)
})

test('without the Compose plugin the containers are known by the label of their project', async () => {
  const plain = (answer: string): string =>
    `[ "$1" = compose ] && { echo "docker: 'compose' is not a docker command." >&2; exit 1; }
     [ "$*" = "ps --quiet --filter label=com.docker.compose.project=cullis-mastio" ] && ${answer}`
  assert.match(await said('restore', { docker: plain('echo 0123456789ab') }), /containers: 1/)
  assert.equal(await said('restore', { docker: plain('true') }), '')
  assert.match(await said('restore', { docker: plain('exit 3') }), /could not be asked.*--accept running/)
})

test('into an empty folder nothing is asked', async () => {
  const docker = 'echo 0123456789ab'
  const change: Case['change'] = (bundle, places) => {
    for (const [name, path] of places) places.set(name, path.replace(bundle, `${bundle}-2`))
  }
  assert.equal(await said('restore', { docker, change }), '')
})
