import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createMemoryStorage } from './memory.ts'
import { decodeRecord, encodeRecord, getRecord, listRecords, putRecord, type RecordValue } from './records.ts'

it('gives back every record, with bigints and text that looks like one', () => {
  const leaf = fc.oneof(fc.string(), fc.constant('n:5'), fc.integer(), fc.boolean(), fc.bigInt())
  const record = fc.dictionary(
    fc.string().filter((key) => key !== '__proto__'),
    fc.oneof(leaf, fc.array(leaf)),
  )
  fc.assert(
    fc.property(record, (value) => {
      const decoded = decodeRecord<RecordValue>('key', encodeRecord(value))
      expect(decoded).toEqual({ ...value })
    }),
  )
})

it('names the key of a record that cannot be read', () => {
  expect(() => decodeRecord('wallet/x', Uint8Array.of(0xff))).toThrow(/wallet\/x/)
})

it('reads and lists records', async () => {
  const storage = createMemoryStorage()
  await putRecord(storage, 'a/1', { value: 1n, none: undefined })
  expect(await getRecord(storage, 'a/1')).toEqual({ value: 1n })
  expect(await getRecord(storage, 'a/2')).toBeUndefined()
  expect(await listRecords(storage, 'a/')).toEqual([{ key: 'a/1', value: { value: 1n } }])
})
