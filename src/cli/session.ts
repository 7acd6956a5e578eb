import type { Context } from '../engine/context.ts'
import type { Report } from '../engine/report.ts'
import { SealiftError } from '../errors.ts'
import { exitOf } from './exit.ts'
import { ndjson } from './ndjson.ts'
import type { CommonOptions } from './options.ts'
import { Printer } from './printer.ts'
import { Progress } from './progress.ts'
import type { Face, Renderer } from './renderer.ts'
import { styleFor } from './style.ts'
import { text } from './text.ts'
import type { Configured, Watch, World } from './world.ts'

/** One verb's run on the command line: what its command may use. */
export interface Job {
  readonly world: World
  readonly renderer: Renderer
  /** The configuration. CONFIG_NOT_FOUND where there is none, or with `--no-config`. */
  configured(): Promise<Configured>
  /** The same for a verb that can do without: undefined where none was named and none is at the usual places. */
  configuredIfAny(): Promise<Configured | undefined>
  context(configured?: Configured): Promise<Context>
}

/** One invocation: its streams, and the exit code that its command leaves. */
export class Session {
  readonly world: World
  readonly out: Printer
  readonly err: Printer
  exitCode = 0

  constructor(world: World) {
    this.world = world
    this.out = new Printer(world.stdout)
    this.err = new Printer(world.stderr)
  }

  /**
   * Runs a verb, shows its report and sets the exit code. What is thrown on the way to the verb (a bad configuration, a
   * refused key file) becomes a report of the same shape.
   */
  async perform<Result>(
    options: CommonOptions,
    face: Face<Result>,
    work: (job: Job) => Promise<Report<Result>>,
  ): Promise<void> {
    const { world } = this
    const renderer = this.#renderer(options, face)
    // The text or the data is what was asked for: without a reader the run has no purpose. A backup has one.
    if (face.stdout !== undefined) this.out.whenGone(() => world.stop('SIGPIPE'))
    const started = world.now()
    let report: Report<Result>
    let fault: unknown
    const watch: Watch = {
      emit: (event) => renderer.event(event),
      onFailure: (error) => {
        fault = error
      },
    }
    try {
      await using held = new AsyncDisposableStack()
      report = await work(this.#job(options, renderer, watch, held))
    } catch (error) {
      fault = error
      report = await failed(face.verb, error, started, world)
    }
    if (world.stopped() !== 'SIGPIPE') renderer.end(report, face, fault)
    const attention = report.result !== undefined && (face.attention?.(report.result) ?? false)
    this.exitCode = exitOf(report, attention, world.stopped())
  }

  #job(options: CommonOptions, renderer: Renderer, watch: Watch, held: AsyncDisposableStack): Job {
    const { world } = this
    const { config } = options
    return {
      world,
      renderer,
      async configured() {
        if (config === false) {
          throw new SealiftError('USAGE', {
            reason: 'this command needs a configuration: leave --no-config out',
          })
        }
        const found = await world.configure(config)
        if (found === undefined)
          throw new SealiftError('CONFIG_NOT_FOUND', { path: './sealift.yaml or /etc/sealift/sealift.yaml' })
        return found
      },
      async configuredIfAny() {
        return config === false ? undefined : world.configure(config)
      },
      async context(configured) {
        return held.use(await world.context(watch, configured?.stateDir))
      },
    }
  }

  #renderer(options: CommonOptions, face: { readonly stdout?: 'product' | 'data' }): Renderer {
    const { world, out, err } = this
    // Where bytes go to standard output, words go to standard error.
    if (options.json === true) return ndjson(face.stdout === 'data' ? err : out)
    const { env, stderr, now } = world
    const quiet = options.quiet === true
    const moving = !quiet && stderr.isTTY === true && (env['TERM'] ?? 'dumb') !== 'dumb'
    return text({
      out,
      err,
      quiet,
      debug: env['SEALIFT_DEBUG'] === '1',
      progress: moving ? new Progress(stderr, () => now().getTime()) : undefined,
      outStyle: styleFor(world.stdout, env),
      errStyle: styleFor(stderr, env),
      now,
    })
  }
}

/** The report of a run that failed before its verb began. */
export async function failed(
  verb: string,
  error: unknown,
  started: Date,
  world: World,
): Promise<Report<never>> {
  const { reported } = await import('../engine/run.ts')
  const { rfc3339 } = await import('../engine/time.ts')
  const finished = world.now()
  return {
    verb,
    run: '',
    ok: false,
    started_at: rfc3339(started),
    finished_at: rfc3339(finished),
    seconds: (finished.getTime() - started.getTime()) / 1000,
    warnings: [],
    error: reported(world.signal.aborted ? new SealiftError('CANCELLED', {}, error) : error),
  }
}
