import { styleText } from 'node:util'
import type { Output } from './world.ts'

type Paint = (text: string) => string

/** The few colours in use. Each returns its text as it is where colours are not wanted. */
export interface Style {
  readonly bold: Paint
  readonly good: Paint
  readonly attention: Paint
  readonly bad: Paint
}

/** Colours only on a terminal, and never with NO_COLOR (no-color.org) or a dumb terminal. */
export function styleFor(output: Output, env: Readonly<Record<string, string | undefined>>): Style {
  const wanted = output.isTTY === true && (env['NO_COLOR'] ?? '') === '' && (env['TERM'] ?? 'dumb') !== 'dumb'
  const paint = (format: 'bold' | 'green' | 'yellow' | 'red') => (text: string) =>
    wanted ? styleText(format, text, { validateStream: false }) : text
  return { bold: paint('bold'), good: paint('green'), attention: paint('yellow'), bad: paint('red') }
}
