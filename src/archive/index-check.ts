import { SealiftError } from '../errors.ts'
import { encodeSummaryLine, type IndexSummary } from './index-lines.ts'
import type { IndexLog } from './index-log.ts'
import { shownPath } from './member-path.ts'
import { TextCheck } from './text-check.ts'

/**
 * Compares an index that arrives in pieces with the members that were seen [I-4]. CONTENTS_DISAGREE names the member
 * and what the two say of it.
 */
export function indexCheck(log: IndexLog, summary: IndexSummary): TextCheck {
  function* expected(): Generator<Buffer, void, undefined> {
    yield* log.text()
    yield Buffer.from(encodeSummaryLine(summary))
  }
  return new TextCheck(expected(), differ)
}

function differ(expected: string, found: string): Error {
  const tar = fieldsOf(expected)
  const index = fieldsOf(found)
  const path = tar?.['path'] ?? index?.['path']
  return new SealiftError('CONTENTS_DISAGREE', {
    member: typeof path === 'string' ? shownPath(path) : 'the last line',
    reason: reasonFor(expected, found, tar, index),
  })
}

type Fields = Record<string, unknown>

function reasonFor(expected: string, found: string, tar?: Fields, index?: Fields): string {
  if (expected === '') return 'something stands behind the last line of the index'
  if (found === '') return 'the index ends before its line'
  if (tar === undefined || index === undefined) return 'its line in the index is not valid'
  if (tar['path'] === undefined && index['path'] !== undefined) return 'the tar has no such member'
  for (const key of new Set([...Object.keys(tar), ...Object.keys(index)])) {
    const [there, here] = [JSON.stringify(tar[key]), JSON.stringify(index[key])]
    if (there !== here) return `its ${key} is ${short(there)} and the index says ${short(here)}`
  }
  return 'its line in the index is not in the one spelling that is accepted'
}

const short = (json: string | undefined): string =>
  json === undefined ? 'not there' : json.length > 80 ? `${json.slice(0, 80)}…` : json

function fieldsOf(line: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? (value as Fields) : undefined
  } catch {
    return undefined
  }
}
