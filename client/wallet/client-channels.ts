import { PostriderError } from '@postrider/protocol/errors'
import { type Address, equalHex, type Hex } from '@postrider/protocol/wire'
import type { Client, ClientChannels } from '../types.ts'
import { balanceOf } from './book.ts'
import type { Checked } from './ledger.ts'
import type { Money, Purse } from './money.ts'
import { reconcile } from './reconcile.ts'
import type { ChannelRecord } from './types.ts'

/** Channels and balances as the application sees them. */
export function createClientChannels(money: Money): ClientChannels & Pick<Client, 'balances'> {
  const { book, reader, payments } = money
  const purse = (): Purse => {
    if (!money.purse) throw new PostriderError('CLIENT_WALLET_REQUIRED', { detail: 'channels' })
    return money.purse
  }
  const find = (fits: (record: ChannelRecord) => boolean): ChannelRecord => {
    const record = book.list().find(fits)
    if (!record) throw new PostriderError('CLIENT_CHANNEL_UNUSABLE', { data: { status: 'none' } })
    return record
  }
  const list = () => book.list().map(balanceOf)
  const refresh = async () => {
    const { channels } = purse()
    const live = book.list().filter(({ status }) => status === 'open' || status === 'closing')
    await Promise.all(live.map((record) => channels.refresh(record)))
    return list()
  }
  const refreshAll = () => Promise.all(book.list().map((record) => purse().channels.refresh(record)))
  return {
    list,
    refresh,
    async requestClose(operator: Address) {
      const { channels } = purse()
      const record = find((known) => equalHex(known.operator, operator) && known.status === 'open')
      await payments.leave(operator)
      return balanceOf(await channels.requestClose(record))
    },
    async withdraw(channelId: Hex) {
      const { channels } = purse()
      return balanceOf(await channels.withdraw(find((known) => equalHex(known.channelId, channelId))))
    },
    async refund() {
      const { writer } = purse()
      const amount = await reader.refundOf(writer.address)
      if (amount === 0n) return
      await writer.withdrawRefund()
    },
    async ledger({ offline = false } = {}) {
      const { ledger } = purse()
      if (!offline) assertAgrees(await ledger.sync())
      return ledger.entries()
    },
    async reconcile() {
      return reconcile({ ...purse(), book, refresh: refreshAll })
    },
    async balances() {
      const { writer, spending } = purse()
      const [wallet, refunds, dailyRemaining, channels] = await Promise.all([
        reader.tokenBalance(writer.address),
        reader.refundOf(writer.address),
        spending.remaining(),
        refresh(),
      ])
      return { address: writer.address, wallet, refunds, dailyRemaining, channels }
    },
  }
}

function assertAgrees({ differences, block }: Checked): void {
  const [first] = differences
  if (!first) return
  const { field, expected, found } = first
  throw new PostriderError('CLIENT_LEDGER_MISMATCH', {
    detail: `${field} is ${expected} in the contract and ${found} by the events, at block ${block.number}`,
    data: { differences },
  })
}
