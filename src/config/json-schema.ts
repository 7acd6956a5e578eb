import { z } from 'zod'
import { configSchema } from './schema.ts'
import type { SchemaInput } from './schema.ts'

/** JSON Schema (2020-12) of `sealift.yaml` as people write it: what editors complete and check from. */
export function configJsonSchema(input: SchemaInput): Record<string, unknown> {
  const { $schema, ...rest } = z.toJSONSchema(configSchema(input), {
    io: 'input',
    override({ jsonSchema }) {
      // What a reference stands for is not known to an editor.
      if (jsonSchema.pattern !== undefined) jsonSchema.pattern = String.raw`${jsonSchema.pattern}|\$\{`
    },
  })
  return { $schema, title: 'sealift.yaml', ...rest }
}
