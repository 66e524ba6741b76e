import { describe, expect, it } from 'vitest'
import type { Storage } from '../storage/types.ts'

const bytes = (...values: number[]) => Uint8Array.from(values)

/** What every adapter of the storage port must do. `open` gives a fresh, empty storage. */
export function describeStorage(name: string, open: () => Promise<Storage>): void {
  describe(`${name} keeps the storage contract`, () => {
    it('gives back what was put, and nothing for other keys', async () => {
      const storage = await open()
      await storage.put('a', bytes(1, 2))
      await storage.put('empty', bytes())
      expect(await storage.get('a')).toEqual(bytes(1, 2))
      expect(await storage.get('empty')).toEqual(bytes())
      expect(await storage.get('b')).toBeUndefined()
      await storage.close()
    })

    it('replaces and deletes', async () => {
      const storage = await open()
      await storage.put('a', bytes(1))
      await storage.put('a', bytes(2))
      expect(await storage.get('a')).toEqual(bytes(2))
      await storage.delete('a')
      await storage.delete('never there')
      expect(await storage.get('a')).toBeUndefined()
      await storage.close()
    })

    it('keeps its own copy of the bytes', async () => {
      const storage = await open()
      const value = bytes(1)
      const written = storage.put('a', value)
      value[0] = 9
      await written
      expect(await storage.get('a')).toEqual(bytes(1))
      await storage.close()
    })

    it('lists by prefix in byte order, without wildcards', async () => {
      const storage = await open()
      for (const key of ['p/b', 'p/a', 'p', 'p/%', 'p/_', 'q/a', 'p/\u{1F600}', 'p/\uFFFD']) {
        await storage.put(key, bytes(1))
      }
      const keys = (await storage.list('p/')).map(({ key }) => key)
      expect(keys).toEqual(['p/%', 'p/_', 'p/a', 'p/b', 'p/\uFFFD', 'p/\u{1F600}'])
      expect(await storage.list('p/%')).toHaveLength(1)
      expect(await storage.list('none')).toEqual([])
      await storage.close()
    })

    it('writes in the order of the calls', async () => {
      const storage = await open()
      const writes = [
        storage.put('a', bytes(1)),
        storage.batch([{ key: 'a', value: bytes(2) }]),
        storage.delete('a'),
        storage.put('a', bytes(3)),
      ]
      await Promise.all(writes)
      expect(await storage.get('a')).toEqual(bytes(3))
      await storage.close()
    })

    it('applies a batch in order', async () => {
      const storage = await open()
      await storage.put('gone', bytes(1))
      await storage.batch([
        { key: 'gone', value: undefined },
        { key: 'a', value: bytes(1) },
        { key: 'a', value: bytes(2) },
        { log: 'log', value: bytes(3) },
        { log: 'log', value: bytes(4) },
      ])
      expect(await storage.append('log', bytes(5))).toBe(3)
      expect((await storage.read('log', 0, 9)).map(({ value }) => value[0])).toEqual([3, 4, 5])
      expect(await storage.get('gone')).toBeUndefined()
      expect(await storage.get('a')).toEqual(bytes(2))
      await storage.close()
    })

    it('numbers log records from 1 without gaps, also when appended at once', async () => {
      const storage = await open()
      const numbers = await Promise.all([1, 2, 3].map((value) => storage.append('log', bytes(value))))
      expect(numbers).toEqual([1, 2, 3])
      expect(await storage.append('other', bytes(7))).toBe(1)
      expect(await storage.read('log', 1, 10)).toEqual([
        { number: 2, value: bytes(2) },
        { number: 3, value: bytes(3) },
      ])
      expect(await storage.read('log', 0, 1)).toEqual([{ number: 1, value: bytes(1) }])
      expect(await storage.read('none', 0, 10)).toEqual([])
      await storage.close()
    })

    it('finishes writes under way when it closes, and refuses later ones', async () => {
      const storage = await open()
      const written = storage.put('a', bytes(1))
      await storage.close()
      await written
      await expect(storage.put('b', bytes(1))).rejects.toMatchObject({ code: 'CLIENT_STORAGE_FAILED' })
      await expect(storage.get('a')).rejects.toMatchObject({ code: 'CLIENT_STORAGE_FAILED' })
      await storage.close()
    })
  })
}
