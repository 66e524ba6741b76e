// The way of money through a client without its network: wallet, budget, channels, membership, ledger, on a real chain.
import type { Network } from '@postrider/protocol/network'
import { type SignedVoucher, signVoucher } from '@postrider/protocol/payment'
import type { Address, Hex } from '@postrider/protocol/wire'
import { createChainReader } from '../../client/chain/reader.ts'
import { createChainWriter } from '../../client/chain/writer.ts'
import { type Clock, systemClock } from '../../client/core/clock.ts'
import { createEmitter } from '../../client/core/emitter.ts'
import { systemRandom } from '../../client/core/random.ts'
import { registerIdentity } from '../../client/rln/registration.ts'
import { createMemoryStorage } from '../../client/storage/memory.ts'
import type { Storage } from '../../client/storage/types.ts'
import { createLibp2pTransport } from '../../client/transport/libp2p.ts'
import type { ClientEvents } from '../../client/types.ts'
import { createClientChannels } from '../../client/wallet/client-channels.ts'
import { createChannelKeys, type Wallet } from '../../client/wallet/keys.ts'
import { createMoney } from '../../client/wallet/money.ts'
import type { Budget } from '../../client/wallet/types.ts'

export const DEPOSIT = 10n ** 18n
export const BUDGET: Budget = {
  deposit: DEPOSIT,
  maxDeposit: 5n * DEPOSIT,
  daily: 8n * DEPOSIT,
  maxFeePerGas: 500n * 10n ** 9n,
}
/** Pauses between two looks at the chain are this many times shorter: here blocks come when they are told. */
const HASTE = 20
/** Ticks are not used here: a voucher says it all. */
const NO_ANCHOR: Hex = `0x${'00'.repeat(32)}`

export type PayingClient = Awaited<ReturnType<typeof openPayingClient>>

export async function openPayingClient(setting: {
  network: Network
  wallet: Wallet
  storage?: Storage
  budget?: Partial<Budget>
  /** How far the client's clock is ahead of the machine's; may change. */
  clock?: { offsetMs: number }
}) {
  const { network, wallet, storage = createMemoryStorage() } = setting
  const clock: Clock = {
    nowMs: () => Date.now() + (setting.clock?.offsetMs ?? 0),
    sleep: (ms, signal) => systemClock.sleep(ms / HASTE, signal),
  }
  const budget = { ...BUDGET, ...setting.budget }
  const reader = createChainReader(network)
  const { maxFeePerGas } = budget
  const writer = createChainWriter(network, wallet.account, { clock, maxFeePerGas })
  const events = createEmitter<ClientEvents>()
  const heard: { name: keyof ClientEvents; code?: string }[] = []
  for (const name of ['channel:opened', 'channel:toppedUp', 'warning', 'wallet:empty'] as const) {
    events.on(name, (event) => heard.push('code' in event ? { name, code: event.code } : { name }))
  }
  const transport = createLibp2pTransport({ clock, transports: [] })
  const base = { network, storage, clock, random: systemRandom, reader, writer, wallet, budget, transport }
  const money = await createMoney(base, events)
  const { purse, book } = money
  if (!purse) throw new TypeError('no purse')
  const { chainId, contracts } = network
  const domain = { chainId, contract: contracts.paymentChannels, token: contracts.token }
  const keys = createChannelKeys(wallet)
  return {
    ...createClientChannels(money),
    address: writer.address,
    reader,
    writer,
    heard,
    storage,
    spending: purse.spending,
    open: (operator: Address) => purse.channels.ensure(operator),
    /** Tops up to at least this much. */
    async raise(operator: Address, total: bigint) {
      return purse.channels.raise(await purse.channels.ensure(operator), total)
    },
    /** Tops up in the background if little is left, as after a payment. */
    async replenish(operator: Address) {
      const live = book.live(operator)
      if (live) purse.channels.replenish(live)
      await purse.channels.idle()
    },
    /** Promises up to a total, on disk before it is out of hand. */
    async promise(operator: Address, cumulative: bigint): Promise<SignedVoucher> {
      const { channelId, descriptor } = await purse.channels.ensure(operator)
      await book.update(channelId, { promised: { cumulative, tickValue: 0n, ticks: 0 }, spent: cumulative })
      const voucher = { channelId, cumulative, tickAnchor: NO_ANCHOR, tickValue: 0n }
      return { ...voucher, signature: signVoucher(domain, voucher, keys.signer(descriptor.salt).key) }
    },
    descriptorOf: (channelId: Hex) => book.get(channelId)?.descriptor,
    register: (limit: number) =>
      registerIdentity({ storage, random: systemRandom, reader, pay: money.payMembership }, writer, limit),
    idle: () => purse.channels.idle(),
    close: () => purse.channels.close(),
  }
}
