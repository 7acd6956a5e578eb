import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { reasonOf, SealiftError, systemCode } from '../errors.ts'
import type { EvidenceChain } from './evidence-chain.ts'
import { checkChain } from './evidence-chain.ts'
import type { EvidenceEntry, EvidenceHead, EvidenceRecord } from './evidence-record.ts'
import { chained, lineOf, sha256 } from './evidence-record.ts'
import { takeTurn } from './turn.ts'

/** Which log: one for each application, `<folder>/<app>.jsonl`. */
export interface EvidenceAt {
  readonly folder: string
  readonly app: string
  /** The last head that was known elsewhere: the catalogue's. */
  readonly anchor?: EvidenceHead | undefined
}

export function evidencePath({ folder, app }: EvidenceAt): string {
  return join(folder, `${app}.jsonl`)
}

/** Reads and judges a log; one that is not there is an empty one. IO_FAILED. Nothing is written. */
export function readEvidence(at: EvidenceAt): EvidenceChain {
  const path = evidencePath(at)
  let text = ''
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw failed(path, 'read', error)
  }
  return checkChain(text, at)
}

/**
 * Adds one record, durable when it returns, and returns it. A log that was tampered with goes on: what is wrong in it
 * stays to be seen. What a crash left of an earlier append is replaced by a record that says so; a log that is gone,
 * and was known, begins with one that says so. IO_FAILED with the log as it was.
 *
 * All of it is synchronous: two appends of one process cannot come between each other, those of two processes wait.
 */
export function appendEvidence(at: EvidenceAt, entry: EvidenceEntry): EvidenceRecord {
  const path = evidencePath(at)
  try {
    mkdirSync(at.folder, { recursive: true, mode: 0o700 })
    using _turn = takeTurn(join(at.folder, `${at.app}.lock`))
    const file = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600)
    try {
      return append(file, at, entry)
    } finally {
      closeSync(file)
    }
  } catch (error) {
    throw failed(path, 'append to', error)
  }
}

function append(file: number, at: EvidenceAt, entry: EvidenceEntry): EvidenceRecord {
  const bytes = readFileSync(file)
  const chain = checkChain(bytes.toString('utf8'), at)
  const lines: string[] = []
  let head = chain.head
  const add = (each: EvidenceEntry): EvidenceRecord => {
    const record = chained(each, head)
    lines.push(lineOf(record))
    head = record
    return record
  }
  const own = { time: entry.time, app: entry.app, host: entry.host, version: entry.version, subject: {} }
  const end = bytes.length - tornBytes(bytes, chain)
  if (end === 0 && at.anchor !== undefined) {
    const details = { earlier_records: at.anchor.seq, earlier_head: at.anchor.hash }
    add({ ...own, kind: 'begun', verdict: 'attention', details })
  } else if (end < bytes.length) {
    const details = { bytes: bytes.length - end, sha256: sha256(bytes.subarray(end)) }
    add({ ...own, kind: 'repair', verdict: 'attention', details })
  }
  const record = add(entry)
  const text = `${chain.unended ? '\n' : ''}${lines.join('\n')}\n`
  write(file, end, Buffer.from(text), bytes.length)
  if (bytes.length === 0) syncFolder(at.folder)
  return record
}

/** Bytes, not characters: a torn tail may end within one. */
function tornBytes(bytes: Buffer, { torn }: EvidenceChain): number {
  return torn === 0 ? 0 : bytes.length - (bytes.lastIndexOf(0x0a) + 1)
}

function write(file: number, at: number, bytes: Buffer, size: number): void {
  try {
    if (size > at) ftruncateSync(file, at)
    for (let done = 0; done < bytes.length;)
      done += writeSync(file, bytes, done, bytes.length - done, at + done)
    fsyncSync(file)
  } catch (error) {
    // A full disk: half a record must not stay.
    if (fstatSync(file).size > at) ftruncateSync(file, at)
    throw error
  }
}

function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

function failed(path: string, operation: string, error: unknown): SealiftError {
  return new SealiftError('IO_FAILED', { path, operation, reason: reasonOf(error) }, error)
}
