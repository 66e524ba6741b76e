import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { createTestApp } from './testing/harness.ts'

type Operation = { operationId?: string; responses: Record<string, { content?: Record<string, unknown> }> }
type Document = {
  openapi: string
  paths: Record<string, Record<string, Operation>>
  components: { schemas: object }
}

const { app } = await createTestApp()
const document = app.swagger() as unknown as Document

test('the committed description is the generated one', async () => {
  const committed = JSON.parse(await readFile(new URL('./openapi.json', import.meta.url), 'utf8'))
  expect(JSON.parse(JSON.stringify(document))).toEqual(committed)
})

test('it is OpenAPI 3.1, every reference resolves, every operation has a name and says how it fails', () => {
  expect(document.openapi).toBe('3.1.0')
  const text = JSON.stringify(document)
  const references = [...text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name)
  expect(references.length).toBeGreaterThan(20)
  for (const name of references) expect(document.components.schemas).toHaveProperty([name as string])
  const names = Object.values(document.paths).flatMap((methods) => Object.values(methods))
  expect(new Set(names.map(({ operationId }) => operationId)).size).toBe(names.length)
  for (const operation of names) {
    if (operation.operationId === 'streamEvents') continue
    expect(operation.responses.default?.content).toHaveProperty(['application/problem+json'])
  }
})

test('amounts are described by their wire form', () => {
  expect(document.components.schemas).toHaveProperty('PostAmount.properties.amount.type', 'string')
})
