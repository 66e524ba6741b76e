import type { Hex } from '@postrider/protocol/wire'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { wordOf } from '../chain/movements.ts'
import type { ChannelState, Holdings, Movement, MovementKind } from '../chain/types.ts'
import { compareHoldings, toEntries } from './statement.ts'

type Member = Holdings['members'][number]
type Step = { what: number; which: number; amount: bigint }

const steps = fc.array(
  fc.record({ what: fc.nat(), which: fc.nat(2), amount: fc.bigInt({ min: 1n, max: 10n ** 24n }) }),
  { maxLength: 40 },
)

/** The contracts: which movements a channel or membership allows, and what they do to it. */
function createContracts() {
  const channels = new Map<Hex, ChannelState>()
  const members = new Map<Hex, Member>()
  const movements: Movement[] = []
  let refunds = 0n
  const note = (kind: MovementKind, amount: bigint, at: Pick<Movement, 'channelId' | 'commitment'> = {}) => {
    const block = BigInt(movements.length)
    movements.push({ block, blockHash: '0x', transaction: '0x', log: 0, part: 0, kind, amount, ...at })
  }
  const onChannel = (id: Hex, { what, amount }: Step) => {
    const at = { channelId: id }
    const channel = channels.get(id)
    const set = (change: Partial<ChannelState>) =>
      channels.set(id, { ...(channel as ChannelState), ...change })
    if (!channel) {
      channels.set(id, { status: 'open', deposit: amount, settled: 0n, closeAt: 0 })
      return note('open', amount, at)
    }
    const { status, deposit, settled } = channel
    const left = deposit - settled
    if (status === 'closed') return
    const claim = amount < left ? amount : left
    if (what % 5 === 0 && claim > 0n) {
      set({ settled: settled + claim })
      return note('settled', claim, at)
    }
    if (what % 5 === 1) {
      set({ status: 'closed' })
      refunds += left
      return note('closed', left, at)
    }
    if (status === 'open' && what % 5 === 2) {
      set({ status: 'closing' })
      return note('closeRequested', 0n, at)
    }
    if (status === 'closing') {
      set({ status: 'closed' })
      return note('withdrawn', left, at)
    }
    set({ deposit: deposit + amount })
    note('topUp', amount, at)
  }
  const onMember = (commitment: Hex, { what, amount }: Step) => {
    const at = { commitment }
    const member = members.get(commitment)
    if (!member) {
      members.set(commitment, { commitment, status: 'active', deposit: amount, burnt: amount / 9n })
      note('memberDeposit', amount, at)
      return note('memberBurnt', amount / 9n, at)
    }
    const { status, deposit } = member
    if (status !== 'active' && status !== 'leaving') return
    if (what % 3 === 0) {
      members.set(commitment, { ...member, status: 'slashed' })
      return note('memberSlashed', deposit, at)
    }
    members.set(commitment, { ...member, status: status === 'active' ? 'leaving' : 'withdrawn' })
    note(status === 'active' ? 'memberLeft' : 'memberWithdrawn', status === 'active' ? 0n : deposit, at)
  }
  return {
    movements,
    play(step: Step) {
      if (step.what % 4 === 3 && refunds > 0n) {
        note('refund', refunds)
        refunds = 0n
      } else if (step.what % 4 === 2) onMember(wordOf(BigInt(step.which)), step)
      else onChannel(wordOf(BigInt(step.which)), step)
    },
    holdings: (): Holdings => ({
      channels: [...channels].map(([channelId, state]) => ({ channelId, ...state })),
      members: [...members.values()],
      refunds,
    }),
  }
}

function playAll(all: readonly Step[]) {
  const contracts = createContracts()
  for (const step of all) contracts.play(step)
  return { movements: contracts.movements, held: contracts.holdings() }
}

const sum = (amounts: bigint[]) => amounts.reduce((total, amount) => total + amount, 0n)

it('agrees with the contracts after any life, with a balance that is what they hold', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const { movements, held } = playAll(all)
      expect(compareHoldings(movements, held)).toEqual([])
      const rows = toEntries(movements.map((movement) => ({ ...movement, atMs: 0, gas: 0n })))
      const inChannels = held.channels.map(({ status, deposit, settled }) =>
        status === 'closed' ? 0n : deposit - settled,
      )
      const inMembers = held.members.map(({ status, deposit }) =>
        status === 'active' || status === 'leaving' ? deposit : 0n,
      )
      expect(rows.at(-1)?.balance ?? 0n).toBe(sum(inChannels) + sum(inMembers) + held.refunds)
      expect(sum(rows.map(({ change }) => change))).toBe(rows.at(-1)?.balance ?? 0n)
    }),
  )
})

it('misses no movement that is left out, given again elsewhere, or changed by one unit', () => {
  fc.assert(
    fc.property(steps, fc.nat(), fc.constantFrom('left out', 'again', 'more', 'less'), (all, pick, how) => {
      const { movements, held } = playAll(all)
      // What moves nothing and is followed by an end leaves no trace in the contracts.
      const moving = movements.filter(({ amount }) => amount > 0n)
      const target = moving[pick % Math.max(1, moving.length)]
      if (!target) return
      const forged = movements.flatMap((movement) => {
        if (movement !== target) return [movement]
        if (how === 'left out') return []
        if (how === 'again') return [movement, { ...movement, log: 1 }]
        return [{ ...movement, amount: movement.amount + (how === 'more' ? 1n : -1n) }]
      })
      expect(compareHoldings(forged, held)).not.toEqual([])
    }),
  )
})
