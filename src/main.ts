/**
 * The composition root: the one file that knows the concrete drivers and the process it runs in. Everything but the
 * shape of the command line is loaded when a command needs it, so that `--help` is quick.
 */
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname, basename, join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Signal } from './cli/exit.ts'
import { signalCodes } from './cli/exit.ts'
import { run } from './cli/run.ts'
import { openTerminal } from './cli/terminal.ts'
import type { Configured, Watch, World } from './cli/world.ts'
import type { Application, Context } from './engine/context.ts'
import { SealiftError } from './errors.ts'
import type { Control } from './profiles/controls.ts'
import type { Profile } from './profiles/profile.ts'
import type { SourceDriver } from './sources/source.ts'
import type { Patience } from './targets/retry.ts'
import type { TargetDriver } from './targets/target.ts'

/** Every kind of source, target, profile and foreign archive that this program has. */
async function plugs() {
  const { sqlite, sqliteOptions } = await import('./sources/sqlite.ts')
  const { files, filesOptions } = await import('./sources/files.ts')
  const { local, localOptions } = await import('./targets/local.ts')
  const { s3 } = await import('./targets/s3.ts')
  const { s3Options } = await import('./targets/s3-options.ts')
  const { rsync } = await import('./targets/rsync.ts')
  const { rsyncOptions } = await import('./targets/rsync-options.ts')
  const { retryingDriver } = await import('./targets/retry.ts')
  const { generic } = await import('./profiles/generic/generic.ts')
  const { grounds } = await import('./profiles/controls.ts')
  const { mastio } = await import('./profiles/mastio/mastio.ts')
  const { gpgTarGz } = await import('./formats/gpg-tar-gz.ts')
  const { globs } = await import('./sources/globs.ts')
  const sources: Readonly<Record<string, SourceDriver>> = { sqlite, files }
  const targets: Readonly<Record<string, TargetDriver>> = {
    local,
    s3: retryingDriver(s3, patience),
    rsync: retryingDriver(rsync, patience),
  }
  const profiles: Readonly<Record<string, Profile>> = { generic, mastio }
  const schemas = {
    sourceOptions: { sqlite: sqliteOptions, files: filesOptions },
    targetOptions: { local: localOptions, s3: s3Options, rsync: rsyncOptions },
    profiles: Object.keys(profiles),
    grounds,
    globs,
  }
  return { sources, targets, profiles, formats: [gpgTarGz], schemas }
}

/** With targets on other hosts: four more tries within a quarter of an hour, the first after a second at most. */
const patience: Patience = {
  tries: 5,
  first: 1000,
  longest: 30_000,
  enough: 15 * 60_000,
  now: () => performance.now(),
  random: () => Math.random(),
  sleep: async (ms, signal) => await sleep(ms, undefined, { signal }),
}

async function main(): Promise<void> {
  const { stop, stopped, signal } = stopping()
  const world: World = {
    env: process.env,
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    now: () => new Date(),
    uid: process.geteuid?.() ?? 0,
    version: version(),
    nodeVersion: process.versions.node,
    signal,
    stop,
    stopped,
    openTerminal,
    context: (watch, stateDir) => context(watch, stateDir ?? defaultStateDir(), signal),
    configure,
    configSchema: async () => {
      const { configJsonSchema } = await import('./config/json-schema.ts')
      return configJsonSchema((await plugs()).schemas)
    },
    openFolder: async (path) =>
      (await import('./targets/local.ts')).local.open(path, { path: resolve(path) }),
  }
  const code = await run(world, process.argv.slice(2))
  // Not left to the event loop: a writer that still feeds our standard input would keep the process alive.
  process.exit(code)
}

/** The first signal lets the run undo what it began; a second one ends the process at once. */
function stopping(): Pick<World, 'stop' | 'stopped' | 'signal'> {
  const controller = new AbortController()
  let first: Signal | undefined
  const stop = (signal: Signal): void => {
    if (first !== undefined && signal !== 'SIGPIPE') process.exit(signalCodes[signal])
    first ??= signal
    controller.abort(new SealiftError('CANCELLED', {}))
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop(signal))
  return { stop, stopped: () => first, signal: controller.signal }
}

async function context(
  watch: Watch,
  stateDir: string,
  signal: AbortSignal,
): Promise<Context & AsyncDisposable> {
  const { randomBytes } = await import('node:crypto')
  const { openCatalog } = await import('./catalog/catalog.ts')
  const { local, openPath } = await import('./targets/local.ts')
  const { sources, profiles, formats } = await plugs()
  const { attend, stream } = await import('./sources/process.ts')
  const now = (): Date => new Date()
  let catalog: Context['catalog'] | undefined
  return {
    now,
    random: randomBytes,
    signal,
    ...watch,
    host: hostname(),
    pid: process.pid,
    privileged: process.geteuid?.() === 0,
    version: version(),
    stateDir,
    // Opened when it is first needed: a verb that only looks leaves no state behind on a rescue machine.
    get catalog() {
      if (catalog === undefined) {
        catalog = openCatalog(join(stateDir, 'catalog.db'), now)
        for (const warning of catalog.warnings) watch.emit({ type: 'warning', ...warning })
      }
      return catalog
    },
    sourceDrivers: sources,
    profiles,
    formats,
    programs: {
      output: ([command = '', ...args], signal) => stream(command, args, { signal, env: environment() }),
      attend: ([command = '', ...args], options) => attend(command, args, { ...options, env: environment() }),
    },
    openPath: (path) => openPath(path, signal),
    replacePath: (path, options) =>
      local.open(dirname(path), { path: dirname(path) }).replace(basename(path), options),
    stdin: () => process.stdin,
    async [Symbol.asyncDispose]() {
      catalog?.[Symbol.dispose]()
    },
  }
}

/** That of this process, for the programs that an operator has it start. */
function environment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
}

async function configure(given: string | undefined): Promise<Configured | undefined> {
  const { existsSync } = await import('node:fs')
  const { findConfig } = await import('./config/find.ts')
  const { readConfig } = await import('./config/load.ts')
  const { env } = process
  const path = findConfig({ given, env, cwd: process.cwd(), exists: existsSync })
  if (path === undefined) return undefined
  const { sources, targets, profiles, schemas } = await plugs()
  // Whether anything seals is judged when something is sealed: a flag, the environment or the terminal may serve.
  const config = await readConfig({
    ...schemas,
    path,
    env,
    defaultStateDir: defaultStateDir(),
    sealGiven: true,
  })
  const { passphraseFile, recipients } = config.seal
  const application: Application = {
    app: config.app,
    profile: pick(profiles, config.profile),
    sources: config.sources.map(({ name, kind, options }) => pick(sources, kind).open(name, options)),
    targets: config.targets.map(({ name, kind, options }) =>
      pick(targets, kind).open(name, options, join(config.stateDir, 'transit')),
    ),
    requireOffHost: new Set(config.targets.filter((t) => t.requireOffHost === true).map((t) => t.name)),
    compression: config.seal.compression,
    retention: config.retention,
    objectives: config.objectives,
    // The schema lets no other grounds through.
    ...(config.controls !== undefined && { controls: config.controls as readonly Control[] }),
    ...(config.statusFile !== undefined && { statusFile: config.statusFile }),
  }
  const seal = {
    recipients,
    ...(passphraseFile === undefined ? {} : { passphraseFile }),
    apartFrom: [...ownFolder(application), ...foldersOf(application), config.stateDir],
  }
  return { path: config.path, stateDir: config.stateDir, application, seal }
}

/** The folder of the application as a whole, where its profile knows one. */
function ownFolder({ profile, sources }: Application): string[] {
  return [profile.folder?.({ sources }) ?? []].flat()
}

/** The folders on this machine that archives go to. */
function foldersOf({ targets }: Application): string[] {
  return targets.filter(({ kind }) => kind === 'local').map(({ location }) => location)
}

/** A plug by its kind; the configuration's schema lets no other kind through. */
function pick<Plug>(list: Readonly<Record<string, Plug>>, kind: string): Plug {
  const found = list[kind]
  if (found === undefined) throw new SealiftError('BUG', { reason: `nothing of kind ${kind}` })
  return found
}

/** Where state lies unless a configuration says otherwise: SEALIFT_STATE_DIR, systemd's, root's, the user's. */
function defaultStateDir(): string {
  const { env } = process
  const named = env['SEALIFT_STATE_DIR'] ?? env['STATE_DIRECTORY']?.split(':')[0]
  if (named !== undefined && named !== '') return resolve(named)
  if (process.geteuid?.() === 0) return '/var/lib/sealift'
  const base = env['XDG_STATE_HOME'] ?? ''
  return join(base === '' ? join(env['HOME'] ?? '/', '.local', 'state') : resolve(base), 'sealift')
}

function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

// Nothing is left to wait for, and still no end: without this the process would leave with nothing said.
process.once('beforeExit', () => crash(new Error('the run stopped before its end')))
main().catch(crash)

function crash(error: unknown): never {
  process.stderr.write(
    `sealift: a fault in Sealift itself\n${error instanceof Error ? (error.stack ?? '') : String(error)}\n`,
  )
  process.exit(70)
}
