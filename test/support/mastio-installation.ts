import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { sealift } from './journey-program.ts'
import type { Outcome } from './journey-program.ts'
import { emptyWorld } from './journey-world.ts'
import { makeBundle } from './mastio-bundle.ts'
import type { BundleOptions, TestBundle } from './mastio-bundle.ts'
import { makeStubs } from './mastio-stubs.ts'
import type { Stubs } from './mastio-stubs.ts'

/** The last line of a run with `--json`. */
export interface Told {
  readonly code: number | null
  readonly ok: boolean
  // oxlint-disable-next-line typescript/no-explicit-any -- each test reads what it knows of its verb
  readonly result: any
  readonly error?: { readonly code: string; readonly message: string }
  readonly warnings: readonly { readonly code: string; readonly message: string }[]
  readonly outcome: Outcome
}

/** A bundle with Sealift set up beside it, archives on the same disk, and stand-ins for `docker` and `deploy.sh`. */
export interface Installation extends AsyncDisposable {
  readonly folder: string
  readonly bundle: TestBundle
  readonly stubs: Stubs
  readonly port: number
  join(...parts: string[]): string
  /** The environment of its commands: stand-ins first on the path. */
  readonly env: NodeJS.ProcessEnv
  /** Runs a command of the program to its end. */
  run(...args: string[]): Promise<Outcome>
  /** The same with `--json`, and gives its report. */
  tell(args: readonly string[], options?: Parameters<typeof sealift>[2]): Promise<Told>
}

export async function installMastio(options: BundleOptions = {}): Promise<Installation> {
  const world = emptyWorld()
  mkdirSync(world.join('bundle'))
  const bundle = makeBundle(world.join('bundle'), options)
  const port = await freePort()
  const stubs = await makeStubs(bundle, world.join('stubs'), port)
  writeFileSync(world.join('pass'), 'six random words make one\n', { mode: 0o600 })
  writeFileSync(world.join('sealift.yaml'), configuration(bundle))
  const env = { PATH: `${stubs.path}:${process.env['PATH'] ?? '/usr/bin:/bin'}` }
  return {
    folder: world.folder,
    bundle,
    stubs,
    port,
    join: (...parts) => world.join(...parts),
    env,
    run: (...args) => sealift(world, args, { env }),
    async tell(args, given = {}) {
      const outcome = await sealift(world, withJson(args), { ...given, env: { ...env, ...given.env } })
      const last = outcome.stdout.trimEnd().split('\n').at(-1) ?? ''
      if (!last.startsWith('{')) throw new Error(`no report: ${outcome.stdout}${outcome.stderr}`)
      return { ...(JSON.parse(last) as Omit<Told, 'code' | 'outcome'>), code: outcome.code, outcome }
    },
    async [Symbol.asyncDispose]() {
      await stubs.stop()
      world[Symbol.dispose]()
    },
  }
}

/** Before `--`, behind which a command of its own stands. */
function withJson(args: readonly string[]): string[] {
  const end = args.indexOf('--')
  return end === -1 ? [...args, '--json'] : [...args.slice(0, end), '--json', ...args.slice(end)]
}

function configuration({ path, data, nginxCerts, certs, samlKeys }: TestBundle): string {
  const saml = existsSync(samlKeys) ? `  - { name: saml-keys, kind: files, path: ${samlKeys} }\n` : ''
  return `version: 1
app: mastio
profile: mastio
state_dir: state
sources:
  - { name: data, kind: sqlite, path: ${join(data, 'mcp_proxy.db')} }
  - { name: nginx-certs, kind: files, path: ${nginxCerts} }
  - { name: certs, kind: files, path: ${certs} }
${saml}  - { name: config, kind: files, path: ${join(path, 'proxy.env')} }
targets:
  - { name: disk, kind: local, path: archives }
seal: { passphrase_file: pass }
`
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
