import { InvalidArgumentError } from 'commander'
import type { Command } from 'commander'
import { readFile } from 'node:fs/promises'
import type { AskInput } from '../engine/check.ts'
import { reasonOf, SealiftError } from '../errors.ts'

/** How a running application is asked. */
export interface AskOptions {
  readonly wait: number
  readonly ca?: string
}

export function withAsking(command: Command): Command {
  return command
    .option('--wait <time>', 'how long it may take to get ready: 90, 90s or 5m', seconds, 60)
    .option('--ca <file>', 'the certificate (PEM) to trust; default: the one that the facts name')
}

export async function asking(url: string, { wait, ca }: AskOptions): Promise<AskInput> {
  return { url: httpsUrl(url), wait, ...(ca === undefined ? {} : { ca: await certificate(ca) }) }
}

function httpsUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 'https:' || url.pathname !== '/' || url.username !== '' || url.search !== '') {
    throw new SealiftError('USAGE', {
      reason: `${text} is not of the form https://HOST or https://HOST:PORT`,
    })
  }
  return url
}

async function certificate(path: string): Promise<string> {
  try {
    return await readFile(path, 'latin1')
  } catch (error) {
    throw new SealiftError('IO_FAILED', { path, operation: 'read', reason: reasonOf(error) }, error)
  }
}

function seconds(value: string): number {
  const [, number, unit] = /^(\d{1,5})(s|m|)$/.exec(value) ?? []
  if (number === undefined) throw new InvalidArgumentError('It must be seconds, or like 90s or 5m.')
  return Number(number) * (unit === 'm' ? 60 : 1)
}
