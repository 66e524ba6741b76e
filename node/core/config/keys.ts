import { z } from 'zod'
import { ENV_PREFIX } from './constants.ts'
import { configSchema, leafKinds } from './schema.ts'

/** One setting: where it is in the file, its environment variable, and what it means. */
export type ConfigKey = {
  /** Names from the outside in, for example ['api', 'port']. */
  path: readonly string[]
  /** For example POSTRIDER_API_PORT. */
  env: string
  description: string
  /** Undefined: no default. */
  default: unknown
  /** How text from the environment becomes a value. */
  form: 'text' | 'list' | 'json'
  kind?: 'path' | 'rpc-urls'
}

/** Every setting, in the schema's order. */
export const configKeys: readonly ConfigKey[] = Object.freeze(walk(configSchema, []))

/** The variable of a path: ['api', 'port'] → POSTRIDER_API_PORT, ['dataDir'] → POSTRIDER_DATA_DIR. */
export function envName(path: readonly string[]): string {
  return (
    ENV_PREFIX + path.map((name) => name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()).join('_')
  )
}

function walk(object: z.ZodObject, path: readonly string[]): ConfigKey[] {
  return Object.entries(object.shape).flatMap(([name, field]) => {
    const here = [...path, name]
    const inner = unwrap(field)
    return inner instanceof z.ZodObject ? walk(inner, here) : [describeLeaf(field as z.ZodType, inner, here)]
  })
}

function describeLeaf(field: z.ZodType, inner: z.core.$ZodType, path: readonly string[]): ConfigKey {
  const kind = leafKinds.get(inner)?.kind
  return {
    path,
    env: envName(path),
    description: field.description ?? '',
    default: field.safeParse(undefined).data,
    form: formOf(inner),
    ...(kind ? { kind } : {}),
  }
}

function formOf(schema: z.core.$ZodType): ConfigKey['form'] {
  if (schema instanceof z.ZodArray) return 'list'
  return schema instanceof z.ZodNumber || schema instanceof z.ZodBoolean ? 'json' : 'text'
}

function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional) {
    return unwrap(schema.unwrap())
  }
  return schema
}
