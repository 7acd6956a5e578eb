import { closeSync, cpSync, mkdirSync, openSync, writeSync } from 'node:fs'
import path from 'node:path'
import { Random } from './random.ts'
import { Rows } from './rows.ts'

export const mebibyte = 1 << 20
const seed = 20_260_501
const textShare = 0.7
const largeTables = 3
/** The large tables' part of all text. */
const largeShare = 0.85
const filesPerGibibyte = 2000

/**
 * An application's folder of `size` MiB, the same on every machine: three large tables of row-like text, many small
 * ones, and incompressible uploads; about 2,000 files at 1 GiB. Returns the bytes of content.
 */
export function writeData(folder: string, size: number): number {
  const random = new Random(seed)
  const rows = new Rows(random)
  const text = size * mebibyte * textShare
  const uploads = size * mebibyte - text
  const files = Math.max(20, Math.round((filesPerGibibyte * size) / 1024))
  let written = 0
  const put = (name: string, bytes: number, content: (most: number) => Buffer): void => {
    const file = path.join(folder, name)
    mkdirSync(path.dirname(file), { recursive: true })
    written += fill(file, Math.round(bytes), content)
  }
  const buffer = Buffer.alloc(mebibyte)
  const table = (most: number): Buffer => lines(rows, buffer, most)
  const upload = (most: number): Buffer => random.bytes(Math.min(most, mebibyte))
  for (let number = 1; number <= largeTables; number += 1)
    put(`tables/large-${number}.csv`, (text * largeShare) / largeTables, table)
  const half = Math.floor((files - largeTables) / 2)
  for (const bytes of sizes(random, text * (1 - largeShare), half))
    put(`tables/${folderOf(written)}/${written.toString(36)}.csv`, bytes, table)
  for (const bytes of sizes(random, uploads, files - largeTables - half))
    put(`uploads/${folderOf(written)}/${written.toString(36)}.bin`, bytes, upload)
  return written
}

/** The same content `times` over, side by side: for the size alone. */
export function multiplyData(folder: string, times: number, into: string): void {
  for (let copy = 1; copy <= times; copy += 1)
    cpSync(folder, path.join(into, `copy-${copy}`), { recursive: true })
}

/** `count` sizes that differ up to about twentyfold and have this sum. */
function sizes(random: Random, sum: number, count: number): number[] {
  const weights = Array.from({ length: count }, () => 1 + random.number(20))
  const all = weights.reduce((total, weight) => total + weight, 0)
  return weights.map((weight) => (sum * weight) / all)
}

function folderOf(number: number): string {
  return ((number >>> 16) & 31).toString(16).padStart(2, '0')
}

function fill(file: string, bytes: number, content: (most: number) => Buffer): number {
  const handle = openSync(file, 'wx')
  try {
    for (let left = bytes; left > 0;) left -= writeSync(handle, content(left))
    return bytes
  } finally {
    closeSync(handle)
  }
}

/** Fills `buffer` with rows, the last of them cut; returns as much of it as is wanted. */
function lines(rows: Rows, buffer: Buffer, most: number): Buffer {
  const wanted = Math.min(most, buffer.length)
  for (let filled = 0; filled < wanted;) filled += buffer.write(rows.next(), filled, 'latin1')
  return buffer.subarray(0, wanted)
}
