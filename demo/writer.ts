/**
 * The demo application as a process: commits one note after another until its standard input ends, which it also does
 * when whoever started it dies. Says the id of every note once it is committed.
 */
import { setTimeout } from 'node:timers/promises'
import { Ledger } from './ledger.ts'

const pauseMs = 2

const [path] = process.argv.slice(2)
if (path === undefined) throw new Error('usage: writer.ts DATABASE')
const ending = new AbortController()
process.stdin.on('end', () => ending.abort()).resume()
process.stdout.on('error', () => ending.abort())
// Ctrl-C reaches every process of the terminal; this one ends when the demo closes its standard input.
process.on('SIGINT', () => undefined)
using ledger = new Ledger(path)
while (!ending.signal.aborted) {
  process.stdout.write(`${ledger.write(1)}\n`)
  await setTimeout(pauseMs)
}
