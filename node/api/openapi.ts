import type { FastifyDynamicSwaggerOptions, SwaggerTransformObject } from '@fastify/swagger'
import { createJsonSchemaTransform, createJsonSchemaTransformObject } from 'fastify-type-provider-zod'
import { z } from 'zod'

type Override = NonNullable<NonNullable<Parameters<typeof z.toJSONSchema>[1]>['override']>

/** A codec is documented by its wire side, which is what JSON shows in both directions. */
const showWireSide: Override = (context) => {
  const { zodSchema, jsonSchema } = context
  if (!(zodSchema instanceof z.ZodCodec)) return letAnswersGrow(context)
  const { title, description } = jsonSchema
  for (const key of Object.keys(jsonSchema)) delete jsonSchema[key]
  const { $schema: _, ...wire } = z.toJSONSchema(zodSchema.def.in as z.ZodType, { io: 'input' })
  Object.assign(jsonSchema, wire, title ? { title } : {}, description ? { description } : {})
}

/** Objects that are not declared strict may get more fields within v1, so readers must not forbid them. */
const letAnswersGrow: Override = ({ zodSchema, jsonSchema }) => {
  if (zodSchema instanceof z.ZodObject && zodSchema.def.catchall === undefined)
    delete jsonSchema.additionalProperties
}

const zodToJsonConfig = { override: showWireSide }

/** OpenAPI 3.1 from the same schemas that check requests and write answers. */
export const openApiOptions: FastifyDynamicSwaggerOptions = {
  openapi: {
    openapi: '3.1.0',
    info: {
      title: 'Postrider node',
      version: '1',
      description:
        'What an operator sees of a node and may tell it. Amounts are integers of base units as text. ' +
        'Errors are problem details with a stable code.',
      license: { name: 'MIT OR Apache-2.0', identifier: 'MIT OR Apache-2.0' },
    },
    components: {
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: "A token of api-tokens.json in the node's data folder",
        },
      },
    },
    tags: [
      { name: 'health', description: 'For supervisors and monitoring' },
      { name: 'node', description: 'The node, its peers, its traffic and its view of the chain' },
      { name: 'money', description: 'Channels, earnings and redemption' },
      { name: 'rln', description: 'Rate limiting and slashing' },
      { name: 'actions', description: 'What an operator tells the node to do; dryRun says what it would do' },
      { name: 'events', description: 'Live changes' },
      { name: 'meta', description: 'The API itself' },
    ],
  },
  transform: createJsonSchemaTransform({ zodToJsonConfig }),
  transformObject: (document) =>
    dropUnreferenced(createJsonSchemaTransformObject({ zodToJsonConfig })(document)),
}

type OpenApi = ReturnType<SwaggerTransformObject>

/** Each schema is registered for both directions; only what a route leads to belongs in the description. */
function dropUnreferenced(document: OpenApi): OpenApi {
  if (!('components' in document)) return document
  const all: Record<string, object> = document.components?.schemas ?? {}
  const kept = new Set<string>()
  const visit = (part: object) => {
    for (const [, name] of JSON.stringify(part).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      if (name === undefined || kept.has(name)) continue
      kept.add(name)
      visit(all[name] ?? {})
    }
  }
  visit(document.paths ?? {})
  const schemas = Object.fromEntries(Object.entries(all).filter(([name]) => kept.has(name)))
  return { ...document, components: { ...document.components, schemas } } as OpenApi
}
