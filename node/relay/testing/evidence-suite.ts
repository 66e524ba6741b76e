import { describe, expect, it } from 'vitest'
import type { EvidenceStore, FoundBreach } from '../types.ts'

/** What every adapter of the evidence port does. `open` returns a store that reads what earlier ones wrote. */
export function evidenceSuite(
  name: string,
  open: () => Promise<{
    store: EvidenceStore
    reopen(): Promise<EvidenceStore>
    advance(ms: number): Promise<void>
  }>,
): void {
  const breach = (commitment: bigint): FoundBreach => ({
    pubsubTopic: '/waku/2/rs/66/1',
    first: new Uint8Array([1, 2]),
    second: new Uint8Array([3]),
    secret: commitment + 1n,
    commitment,
  })
  const largest = 21888242871839275222246405745257275088548364400416034343698204186575808495616n

  describe(`evidence store: ${name}`, () => {
    it('keeps one case for each member, the first', async () => {
      const { store } = await open()
      expect(await store.add(breach(5n))).toBe(true)
      expect(await store.add({ ...breach(5n), second: new Uint8Array([9]) })).toBe(false)
      expect(await store.get(5n)).toMatchObject({ ...breach(5n), state: 'found', attempts: 0 })
      expect(await store.get(6n)).toBeUndefined()
    })

    it('takes one of two concurrent breaches of a member', async () => {
      const { store } = await open()
      const added = await Promise.all([store.add(breach(5n)), store.add(breach(5n))])
      expect(added.sort()).toEqual([false, true])
    })

    it('records progress and finds it again after a restart', async () => {
      const { store, reopen, advance } = await open()
      await store.add(breach(largest))
      await advance(1_000)
      const nonce = `0x${'ab'.repeat(32)}` as const
      await store.update(largest, {
        state: 'committed',
        nonce,
        commitHash: '0x01',
        commitBlock: 7,
        attempts: 1,
      })
      const again = await reopen()
      await again.update(largest, { state: 'revealed', revealTx: '0x02', reward: 2n ** 100n })
      const found = await again.get(largest)
      expect(found).toMatchObject({
        ...breach(largest),
        state: 'revealed',
        nonce,
        commitHash: '0x01',
        commitBlock: 7,
        revealTx: '0x02',
        reward: 2n ** 100n,
        attempts: 1,
      })
      expect((found?.updatedMs ?? 0) - (found?.foundMs ?? 0)).toBe(1_000)
    })

    it('lists by state, newest first', async () => {
      const { store, advance } = await open()
      for (const commitment of [1n, 2n, 3n]) {
        await store.add(breach(commitment))
        await advance(10)
      }
      await store.update(2n, { state: 'lost', reason: 'another node was first' })
      const commitments = async (filter?: Parameters<EvidenceStore['list']>[0]) =>
        (await store.list(filter)).map(({ commitment }) => commitment)
      expect(await commitments()).toEqual([3n, 2n, 1n])
      expect(await commitments({ states: ['found'] })).toEqual([3n, 1n])
      expect(await commitments({ states: ['lost', 'failed'] })).toEqual([2n])
      expect(await commitments({ states: [] })).toEqual([])
    })

    it('refuses progress of a case it does not have', async () => {
      const { store } = await open()
      await expect(store.update(1n, { state: 'lost' })).rejects.toMatchObject({ code: 'RELAY_CASE_UNKNOWN' })
    })
  })
}
