import { SealiftError } from '../errors.ts'
import type { Manifest } from '../manifest.ts'
import { MANIFEST_PATH } from './member-path.ts'
import { utf8 } from './pax.ts'

/** A manifest is held in memory. */
export const MANIFEST_LIMIT = 16 * 1_048_576

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const allTexts = (value: Record<string, unknown>, keys: readonly string[]): boolean =>
  keys.every((key) => typeof value[key] === 'string')

/** The manifest of the archive with this id (archive-v1 §6). CONTENTS_DISAGREE where it is none. */
export function decodeManifest(content: Buffer, id: string): Manifest {
  const refuse = (reason: string, cause?: unknown) =>
    new SealiftError('CONTENTS_DISAGREE', { member: MANIFEST_PATH, reason }, cause)
  let value: unknown
  try {
    value = JSON.parse(utf8(content) ?? '')
  } catch (error) {
    throw refuse('it is not JSON in UTF-8', error)
  }
  if (!isObject(value) || value['manifest'] !== 1) throw refuse('it is not a manifest of version 1')
  if (value['archive_id'] !== id) throw refuse('it names another archive')
  if (value['kind'] !== 'backup' && value['kind'] !== 'export')
    throw refuse('it is neither a backup nor an export')
  if (!allTexts(value, ['app', 'profile', 'host', 'started_at', 'finished_at']))
    throw refuse('a key is missing')
  const { tool, sources, warnings } = value
  if (!isObject(tool) || !allTexts(tool, ['name', 'version'])) throw refuse('it names no tool')
  if (!Array.isArray(sources) || !sources.every(isSource)) throw refuse('its sources are not valid')
  if (!Array.isArray(warnings) || !warnings.every(isWarning)) throw refuse('its warnings are not valid')
  return value as unknown as Manifest
}

function isSource(value: unknown): boolean {
  if (!isObject(value) || !allTexts(value, ['name', 'kind', 'snapshot_at'])) return false
  const { place, versions, rows, facts, members, bytes } = value
  return (
    (place === undefined || isPlace(place)) &&
    (rows === undefined || (isObject(rows) && Object.values(rows).every(Number.isSafeInteger))) &&
    isObject(versions) &&
    Object.values(versions).every((version) => typeof version === 'string') &&
    isObject(facts) &&
    Number.isSafeInteger(members) &&
    Number.isSafeInteger(bytes)
  )
}

const isPlace = (value: unknown): boolean =>
  isObject(value) &&
  typeof value['path'] === 'string' &&
  (value['type'] === 'file' || value['type'] === 'directory')

const isWarning = (value: unknown): boolean => isObject(value) && allTexts(value, ['code', 'message'])
