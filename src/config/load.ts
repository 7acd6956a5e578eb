import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { reasonOf, SealiftError, systemCode } from '../errors.ts'
import type { Config, ConfiguredPlug, Problem, RetentionConfig } from './config.ts'
import { conflictsOf } from './conflicts.ts'
import type { GlobReader } from './coverage.ts'
import { parseConfigText } from './document.ts'
import type { KeyPath, ParsedDocument } from './document.ts'
import { draftOf, isPathKey, withAbsolutePaths } from './draft.ts'
import { secondsOf } from './duration.ts'
import type { Environment } from './environment.ts'
import { freeze } from './freeze.ts'
import { at, keyName, problemsOf } from './mistakes.ts'
import { configSchema } from './schema.ts'
import type { ConfigSchema, SchemaInput } from './schema.ts'

export interface ConfigInput extends SchemaInput {
  readonly path: string
  readonly env: Environment
  /** How the `files` source reads the patterns of `include` and `exclude`. */
  readonly globs: GlobReader
  /** Where state lies when the file has no `state_dir`: an absolute path. */
  readonly defaultStateDir: string
  /** A passphrase or recipient comes from elsewhere (a flag, the environment, a prompt): `seal` may name no way. */
  readonly sealGiven?: boolean
}

/**
 * Makes a configuration from its text and the environment; looks at nothing else, neither disk nor clock. All mistakes
 * come at once, ordered by line, as CONFIG_INVALID. The result is deeply frozen.
 */
export function loadConfig(input: ConfigInput & { readonly text: string }): Config {
  const document = parseConfigText(input.text, input.env)
  const problems = [...document.problems]
  const folder = dirname(resolve(input.path))
  if (document.readable) {
    const shape = wrongShape(document.value)
    if (shape !== undefined) problems.push(shape)
    else {
      const schema = configSchema(input)
      const parsed = schema.safeParse(document.value)
      const draft = draftOf(document.value, folder)
      const stateDir = draft.stateDir ?? input.defaultStateDir
      if (!parsed.success) problems.push(...problemsOf(parsed.error.issues, document, schema))
      problems.push(...pathProblems(document.value, [], document), ...emptyRetention(document))
      const { globs, sealGiven = false } = input
      problems.push(...conflictsOf(draft, document, { stateDir, sealGiven, globs }))
      if (parsed.success && problems.length === 0) {
        const { app, profile, sources, targets, seal, retention, objectives, controls } = parsed.data
        return freeze({
          path: resolve(input.path),
          app,
          profile,
          stateDir,
          sources: sources.map((source) => plugOf(source, folder)),
          targets: targets.map((target) => plugOf(target, folder)),
          seal: {
            passphraseFile: draft.passphraseFile,
            recipients: seal.recipients,
            compression: seal.compression,
          },
          retention: retentionOf(retention),
          objectives: {
            rpo: secondsOf(objectives.rpo),
            rto: secondsOf(objectives.rto),
            drillEvery: secondsOf(objectives.drill_every),
          },
          statusFile: draft.statusFile,
          controls,
        })
      }
    }
  }
  problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0))
  throw new SealiftError('CONFIG_INVALID', { path: input.path, problems })
}

/** Reads and loads a file: CONFIG_NOT_FOUND, IO_FAILED, CONFIG_INVALID. */
export async function readConfig(input: ConfigInput): Promise<Config> {
  let bytes: Buffer
  try {
    bytes = await readFile(input.path)
  } catch (error) {
    if (systemCode(error) === 'ENOENT')
      throw new SealiftError('CONFIG_NOT_FOUND', { path: input.path }, error)
    const data = { path: input.path, operation: 'read', reason: reasonOf(error) }
    throw new SealiftError('IO_FAILED', data, error)
  }
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    const problem = { what: 'the file is not UTF-8 text', fix: 'save it as UTF-8' }
    throw new SealiftError('CONFIG_INVALID', { path: input.path, problems: [problem] }, error)
  }
  return loadConfig({ ...input, text })
}

function wrongShape(value: unknown): Problem | undefined {
  const fix = '`sealift init` writes one to begin with'
  if (value === null || value === undefined) return { what: 'the file is empty', fix }
  if (Array.isArray(value))
    return { line: 1, what: 'the file is a list, and must be keys with values (`version: 1`, …)', fix }
  if (typeof value !== 'object')
    return { line: 1, what: 'the file is one value, and must be keys with values (`version: 1`, …)', fix }
  return undefined
}

/** A path is what the system gets: the shell's `~` has no meaning in it. */
function pathProblems(value: unknown, path: KeyPath, document: ParsedDocument): Problem[] {
  if (typeof value === 'object' && value !== null) {
    const entries: [string | number, unknown][] = Array.isArray(value)
      ? value.map((item: unknown, index) => [index, item])
      : Object.entries(value)
    return entries.flatMap(([key, item]) => pathProblems(item, [...path, key], document))
  }
  const key = String(path.at(-1))
  if (typeof value !== 'string' || !(isPathKey(key) || key === 'state_dir')) return []
  const name = keyName(document, path)
  if (/^~($|\/)/.test(value))
    return [at(document, path, `${name}: \`~\` has no meaning here`, 'write ${HOME}, or the whole path')]
  if (value.includes('\0')) return [at(document, path, `${name} has a null byte in it`, 'remove it')]
  return []
}

function emptyRetention(document: ParsedDocument): Problem[] {
  const retention: unknown = Reflect.get(Object(document.value), 'retention')
  if (typeof retention !== 'object' || retention === null || Array.isArray(retention)) return []
  // These two keep nothing by themselves.
  const { keep_newest_verified: _, after_backup: __, ...rules } = retention as Record<string, unknown>
  if (Object.values(rules).some((count) => count !== 0)) return []
  const fix = 'keep at least one, or remove `retention`: then nothing is pruned'
  return [at(document, ['retention'], '`retention` keeps nothing', fix)]
}

function retentionOf(retention: ReturnType<ConfigSchema['parse']>['retention']): RetentionConfig | undefined {
  if (retention === undefined) return undefined
  const { keep_within, ...rest } = retention
  return {
    ...dropUndefined(rest),
    ...(keep_within === undefined ? {} : { keep_within: secondsOf(keep_within) }),
  }
}

function plugOf(plug: Record<string, unknown>, folder: string): ConfiguredPlug {
  const { name, kind, off_host, ...options } = plug
  return {
    name: String(name),
    kind: String(kind),
    options: withAbsolutePaths(options, folder),
    ...(off_host === 'required' ? { requireOffHost: true } : {}),
  }
}

/** Takes out keys that are there with the value `undefined`. */
function dropUndefined<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>
  }
}
