import { z } from 'zod'
import type { KeyPath } from './document.ts'

/** The keys that a schema knows at a place; in a union by kind, those of the kind that the value there names. */
export function keysAt(schema: z.core.$ZodType, path: KeyPath, value: unknown): string[] {
  const [part, ...rest] = path
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault)
    return keysAt(schema.unwrap(), path, value)
  if (schema instanceof z.ZodDiscriminatedUnion) {
    const kind = childOf(value, schema.def.discriminator)
    const options = schema.options.filter((option) => option instanceof z.ZodObject)
    const chosen = options.filter((option) => literalOf(option.shape[schema.def.discriminator]) === kind)
    return [
      ...new Set((chosen.length > 0 ? chosen : options).flatMap((option) => keysAt(option, path, value))),
    ]
  }
  if (schema instanceof z.ZodObject) {
    if (part === undefined) return Object.keys(schema.shape)
    const next: z.core.$ZodType | undefined = schema.shape[part]
    return next === undefined ? [] : keysAt(next, rest, childOf(value, part))
  }
  if (schema instanceof z.ZodArray && part !== undefined)
    return keysAt(schema.element, rest, childOf(value, part))
  return []
}

function literalOf(schema: z.core.$ZodType | undefined): unknown {
  return schema instanceof z.ZodLiteral ? schema.def.values[0] : undefined
}

function childOf(value: unknown, part: string | number): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, part) : undefined
}
