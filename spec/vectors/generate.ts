import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { scenarios } from './scenarios.ts'
import { vectorOf } from './scenario.ts'
import { encodeVector } from './vector.ts'

/** Writes every vector into a folder: `node spec/vectors/generate.ts [FOLDER]`, this folder unless told otherwise. */
export async function generate(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (const scenario of scenarios) {
    await writeFile(join(folder, `${scenario.name}.txt`), encodeVector(await vectorOf(scenario)))
  }
}

if (import.meta.main) await generate(resolve(process.argv[2] ?? import.meta.dirname))
