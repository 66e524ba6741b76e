import fc from 'fast-check'
import { expect, it } from 'vitest'
import { coalesceFrames } from './coalesce.ts'

/** A connection that keeps what was written to it, a muxer over it, and turns that end when the test says so. */
function createScene() {
  const writes: number[][] = []
  const turns: (() => void)[] = []
  const connection = {
    status: 'open',
    writableNeedsDrain: false,
    broken: false,
    aborted: undefined as Error | undefined,
    send(data: Uint8Array | (Iterable<Uint8Array> & { byteLength: number })): boolean {
      if (connection.broken || connection.status !== 'open') throw new Error('not open')
      writes.push(data instanceof Uint8Array ? [...data] : [...data].flatMap((part) => [...part]))
      return !connection.writableNeedsDrain
    },
    abort(error: Error) {
      connection.aborted = error
    },
  }
  const muxer = { status: 'open' }
  const factory = { protocol: '/muxer', createStreamMuxer: (_: typeof connection) => muxer }
  const coalesced = coalesceFrames(factory, (flush) => turns.push(flush))
  expect(coalesced.protocol).toBe('/muxer')
  expect(coalesced.createStreamMuxer(connection)).toBe(muxer)
  const endTurn = () => {
    for (const flush of turns.splice(0)) flush()
  }
  return { connection, muxer, writes, endTurn }
}

/** A list of bytes as libp2p has it. */
function listOf(...parts: Uint8Array[]) {
  const byteLength = parts.reduce((sum, part) => sum + part.byteLength, 0)
  return { byteLength, [Symbol.iterator]: () => parts[Symbol.iterator]() }
}

it('sends every byte in order, one write a turn', () => {
  const chunk = fc.array(fc.uint8Array({ minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 3 })
  fc.assert(
    fc.property(fc.array(fc.array(chunk, { maxLength: 5 }), { maxLength: 5 }), (script) => {
      const { connection, writes, endTurn } = createScene()
      for (const turn of script) {
        const before = writes.length
        for (const parts of turn)
          connection.send(parts.length === 1 ? (parts[0] as Uint8Array) : listOf(...parts))
        endTurn()
        expect(writes.length - before).toBe(Math.min(turn.length, 1))
      }
      expect(writes.flat()).toEqual(script.flat(2).flatMap((part) => [...part]))
    }),
  )
})

it('writes at once when a Noise message is full, and what is left at the end of the turn', () => {
  const { connection, writes, endTurn } = createScene()
  connection.send(new Uint8Array(65_000))
  expect(writes).toHaveLength(0)
  connection.send(new Uint8Array(519))
  expect(writes.map(({ length }) => length)).toEqual([65_519])
  connection.send(new Uint8Array(1))
  endTurn()
  expect(writes.map(({ length }) => length)).toEqual([65_519, 1])
})

it('says when the peer takes no more', () => {
  const { connection } = createScene()
  expect(connection.send(Uint8Array.of(1))).toBe(true)
  connection.writableNeedsDrain = true
  expect(connection.send(Uint8Array.of(2))).toBe(false)
})

it('writes what a closing muxer says at once, after what waits', () => {
  const { connection, muxer, writes } = createScene()
  connection.send(Uint8Array.of(1))
  muxer.status = 'closing'
  connection.send(Uint8Array.of(2))
  expect(writes).toEqual([[1, 2]])
})

it('drops what waits for a connection that has ended, and takes no more for it', () => {
  const { connection, writes, endTurn } = createScene()
  connection.send(Uint8Array.of(1))
  connection.status = 'aborted'
  endTurn()
  expect(writes).toEqual([])
  expect(connection.aborted).toBeUndefined()
  expect(() => connection.send(Uint8Array.of(2))).toThrow('not open')
})

it('aborts the connection when the write of a turn fails', () => {
  const { connection, endTurn } = createScene()
  connection.send(Uint8Array.of(1))
  connection.broken = true
  endTurn()
  expect(connection.aborted).toBeInstanceOf(Error)
})
