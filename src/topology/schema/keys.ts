import type { z } from 'zod'
import type { Path } from '../problem.js'
import { topology } from './topology.js'

type Def = z.core.$ZodTypes['_zod']['def']

/** The keys that the schema knows of the mapping at `path` of `data`. */
export function keysAt(data: unknown, path: Path): string[] {
  const { schemas, value } = schemasAt(data, path)
  return schemas.flatMap((schema) => options(schema, value)).flatMap(shapeKeys)
}

/** Under which other discriminator the mapping at `path` would have `key`, as `mode: multicast`. */
export function variantWith(data: unknown, path: Path, key: string): string | undefined {
  for (const schema of schemasAt(data, path).schemas) {
    const def = defOf(schema)
    if (def.type !== 'union' || !('discriminator' in def)) continue
    const discriminator = String(def.discriminator)
    for (const option of def.options.map(defOf)) {
      if (option.type !== 'object' || !Object.hasOwn(option.shape, key)) continue
      const literal = option.shape[discriminator] && defOf(option.shape[discriminator])
      if (literal?.type === 'literal') return `${discriminator}: ${String(literal.values[0])}`
    }
  }
  return undefined
}

function schemasAt(data: unknown, path: Path): { schemas: z.core.$ZodType[]; value: unknown } {
  let schemas: z.core.$ZodType[] = [topology]
  let value = data
  for (const part of path) {
    schemas = schemas.flatMap((schema) => step(schema, value, part))
    value = childOf(value, part)
  }
  return { schemas, value }
}

export function childOf(value: unknown, part: string | number): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined
  return (value as Record<string | number, unknown>)[part]
}

function step(schema: z.core.$ZodType, value: unknown, part: string | number): z.core.$ZodType[] {
  return options(schema, value).flatMap((option) => {
    const def = defOf(option)
    if (def.type === 'record') return [def.valueType]
    if (def.type === 'array') return [def.element]
    if (def.type !== 'object') return []
    const child = Object.hasOwn(def.shape, part) ? def.shape[part as string] : undefined
    return child ? [child] : []
  })
}

/** Looks through defaults, optionals and unions; of a union by its discriminator where that decides. */
function options(schema: z.core.$ZodType, value: unknown): z.core.$ZodType[] {
  const def = defOf(schema)
  if (def.type === 'optional' || def.type === 'default') return options(def.innerType, value)
  if (def.type !== 'union') return [schema]
  const discriminator = 'discriminator' in def ? String(def.discriminator) : undefined
  const matching = def.options.filter((option) => {
    if (discriminator === undefined) return true
    const inner = defOf(option)
    const literal = inner.type === 'object' ? inner.shape[discriminator] : undefined
    const values = literal && defOf(literal)
    return values?.type === 'literal' && values.values.includes(childOf(value, discriminator) as string)
  })
  return matching.flatMap((option) => options(option, value))
}

function shapeKeys(schema: z.core.$ZodType): string[] {
  const def = defOf(schema)
  return def.type === 'object' ? Object.keys(def.shape) : []
}

function defOf(schema: z.core.$ZodType): Def {
  return (schema as z.core.$ZodTypes)._zod.def
}
