import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { systemCode } from '../errors.ts'
import { fateOf, ownerOf, partName, thisProcess } from './part-file.ts'

/** What a marker says: the upload that the process in its file name began. */
export interface MarkedUpload {
  readonly place: string
  readonly key: string
  readonly id: string
}

/**
 * Notes on this machine's disk of the uploads that its processes have begun. A server tells when an upload began and
 * not whose it is; with the note a sweep removes what a killed process left at once, and never what a living one
 * writes. Without a folder, or with its notes lost, an upload is swept when it is a day old.
 */
export class S3Markers {
  readonly #folder: string | undefined
  /** Server and bucket: the notes of all targets lie in one folder. */
  readonly #place: string

  constructor(folder: string | undefined, place: string) {
    this.#folder = folder
    this.#place = place
  }

  /** Notes an upload of this process; the result takes the note away. */
  async note(name: string, key: string, id: string): Promise<() => Promise<void>> {
    if (this.#folder === undefined) return async () => undefined
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    const path = join(this.#folder, partName(name, thisProcess()))
    const marked: MarkedUpload = { place: this.#place, key, id }
    await writeFile(path, JSON.stringify(marked), { mode: 0o600, flag: 'wx' })
    return async () => await rm(path, { force: true })
  }

  /** Every noted upload at this place, and whether its process still runs. */
  async read(): Promise<{ upload: MarkedUpload; living: boolean; forget: () => Promise<void> }[]> {
    const self = thisProcess()
    const found = []
    for (const file of await this.#files()) {
      const owner = ownerOf(file)
      const path = join(this.#folder ?? '', file)
      const upload = owner === undefined ? undefined : await readMarker(path)
      if (owner === undefined || upload?.place !== this.#place) continue
      const living = fateOf(owner, self) !== 'dead'
      found.push({ upload, living, forget: async () => await rm(path, { force: true }) })
    }
    return found
  }

  async #files(): Promise<string[]> {
    if (this.#folder === undefined) return []
    try {
      return await readdir(this.#folder)
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return []
      throw error
    }
  }
}

/** Undefined for what was cut while it was written, or is gone. */
async function readMarker(path: string): Promise<MarkedUpload | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'))
    const { place, key, id } = Object(value) as Record<string, unknown>
    if (typeof place !== 'string' || typeof key !== 'string' || typeof id !== 'string') return undefined
    return { place, key, id }
  } catch (error) {
    if (error instanceof SyntaxError || systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}
