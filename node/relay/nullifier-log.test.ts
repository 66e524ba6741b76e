import { EMPTY_SLOT, type NullifierSlot } from '@postrider/protocol/rln'
import { describe, expect, it } from 'vitest'
import { createNullifierLog } from './nullifier-log.ts'

const used: NullifierSlot = { ...EMPTY_SLOT, accepted: { id: '1', x: 1n, y: 2n } }
const key = (epoch: bigint, nullifier: bigint, externalNullifier = epoch * 100n) => ({
  epoch,
  externalNullifier,
  nullifier,
})

describe('nullifier log', () => {
  it('keeps slots apart by external nullifier and nullifier', () => {
    const log = createNullifierLog(10)
    log.put(key(1n, 7n), used)
    expect(log.get(key(1n, 7n))).toEqual(used)
    expect(log.get(key(1n, 8n))).toBe(EMPTY_SLOT)
    expect(log.get(key(1n, 7n, 101n))).toBe(EMPTY_SLOT)
    expect(log.size()).toBe(1)
  })

  it('forgets idle slots at once, so that bad proofs leave nothing behind', () => {
    const log = createNullifierLog(10)
    log.put(key(1n, 7n), { ...EMPTY_SLOT, verifying: [{ id: '1', x: 1n, y: 2n }] })
    expect(log.size()).toBe(1)
    log.put(key(1n, 7n), EMPTY_SLOT)
    log.put(key(1n, 9n), EMPTY_SLOT)
    expect(log.size()).toBe(0)
  })

  it('refuses new nullifiers when full, and still knows the old ones', () => {
    const log = createNullifierLog(2)
    log.put(key(1n, 1n), used)
    log.put(key(1n, 2n), used)
    expect(log.hasRoom(key(1n, 3n))).toBe(false)
    expect(log.hasRoom(key(1n, 2n))).toBe(true)
    log.put(key(1n, 2n), { ...used, breached: true })
    expect(log.size()).toBe(2)
  })

  it('prunes whole epochs', () => {
    const log = createNullifierLog(10)
    for (const epoch of [1n, 2n, 3n]) log.put(key(epoch, 1n), used)
    expect(log.pruneBefore(3n)).toBe(2)
    expect(log.size()).toBe(1)
    expect(log.get(key(3n, 1n))).toEqual(used)
    expect(log.get(key(2n, 1n))).toBe(EMPTY_SLOT)
  })
})
