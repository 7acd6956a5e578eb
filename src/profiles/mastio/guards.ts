import { text } from 'node:stream/consumers'
import { dirname, join } from 'node:path'
import { isSealiftError, reasonOf, SealiftError } from '../../errors.ts'
import type { Places } from '../examination.ts'
import type { Guard, Surroundings } from '../profile.ts'
import { usesPostgres } from './env-checks.ts'
import { readEnv } from './env-file.ts'
import { projectOf } from './layout.ts'
import { readSmall } from './small-file.ts'

/** How long the container engine may take to answer. */
const answerMs = 60_000

/** A backup of this application is its database and its configuration, and nothing less. */
const sourcesThere: Guard = {
  name: 'sources',
  before: 'backup',
  async run(places) {
    const missing = ['data', 'config'].filter((name) => !places.has(name))
    if (missing.length === 0) return
    const reason = `the configuration has no source ${missing.map((name) => `\`${name}\``).join(', ')}; \`sealift init --profile mastio\` writes them all`
    throw refused(this, reason)
  },
}

/** mastio.md §1: with its rows in PostgreSQL, the SQLite file is not the application. */
const onSqlite: Guard = {
  name: 'postgresql',
  before: 'backup',
  async run(places) {
    const config = places.get('config')
    const content = config === undefined ? undefined : await readSmall('config', config)
    if (content === undefined || !usesPostgres(readEnv(content.toString('latin1')))) return
    throw refused(this, 'MCP_PROXY_DATABASE_URL is PostgreSQL: SQLite backup only')
  },
}

/** mastio.md §9.1 rule 6: a running application would write into the file that was replaced. */
const stackDown: Guard = {
  name: 'running',
  before: 'restore',
  async run(places, signal, { output }) {
    const project = await projectAt(places)
    if (project === undefined) return
    const running = await containersOf(output, project, signal)
    if (running === 0) return
    const reason = `the Compose project ${project} runs (containers: ${running}): \`./deploy.sh --down\` first`
    throw refused(this, reason)
  },
}

/** The project of the bundle that lies where the restore goes; an empty folder has none. */
async function projectAt(places: Places): Promise<string | undefined> {
  const config = places.get('config')
  const data = places.get('data')
  const bundle = config === undefined ? undefined : dirname(config)
  // Where only the database is restored, the bundle is usually the folder above it.
  const folder = bundle ?? (data === undefined ? undefined : dirname(dirname(data)))
  if (folder === undefined) return undefined
  const env = await readSmall('config', join(folder, 'proxy.env'))
  const compose = await readSmall('config', join(folder, 'docker-compose.yml'))
  if (env === undefined && compose === undefined) return undefined
  const [file, written] = [readEnv(env?.toString('latin1') ?? ''), compose?.toString('latin1') ?? '']
  return projectOf(file, written)
}

async function containersOf(
  output: Surroundings['output'],
  project: string,
  signal: AbortSignal,
): Promise<number> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(answerMs)])
  // The second way needs no Compose plugin, and knows the project by the label that Compose gave its containers.
  const label = `label=com.docker.compose.project=${project}`
  const questions = [
    ['docker', 'compose', '-p', project, 'ps', '--quiet'],
    ['docker', 'ps', '--quiet', '--filter', label],
  ]
  let unanswered: unknown
  for (const question of questions) {
    try {
      const ids = await text(output(question, limited))
      return ids.split('\n').filter((line) => line.trim() !== '').length
    } catch (error) {
      signal.throwIfAborted()
      // Without the program, or without its daemon, no container runs.
      if (isSealiftError(error, 'PROCESS_NOT_FOUND') || nothingCanRun(error)) return 0
      unanswered = error
    }
  }
  const reason = `whether the Compose project ${project} runs could not be asked (${reasonOf(unanswered)}); once you know that it does not: --accept running`
  throw new SealiftError('GUARD_REFUSED', { guard: 'mastio running', reason }, unanswered)
}

function nothingCanRun(error: unknown): boolean {
  if (!isSealiftError(error, 'PROCESS_FAILED')) return false
  const { stderr } = error.data
  return (
    /cannot connect to the docker daemon|is the docker daemon running/i.test(stderr) &&
    !/permission denied/i.test(stderr)
  )
}

export const guards: readonly Guard[] = [sourcesThere, onSqlite, stackDown]

function refused({ name }: Pick<Guard, 'name'>, reason: string): SealiftError {
  return new SealiftError('GUARD_REFUSED', { guard: `mastio ${name}`, reason })
}
