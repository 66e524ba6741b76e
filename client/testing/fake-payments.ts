import { peerIdFromString } from '@libp2p/peer-id'
import {
  type AccountState,
  accountReducer,
  channelId,
  decodeClientFrame,
  encodeNodeFrame,
  MAX_TICKS,
  NEW_ACCOUNT,
  NO_TICKS,
  type NodePaymentFrame,
  paidTotal,
  verifyBind,
  verifyVoucher,
} from '@postrider/protocol/payment'
import { type Address, bytesToHex, type Hex, PROTOCOL_IDS } from '@postrider/protocol/wire'
import type { Libp2p } from 'libp2p'
import type { Descriptor, Prices } from '../chain/types.ts'
import type { FrameStream } from '../transport/types.ts'
import type { FakeChain } from './fake-chain.ts'
import { serveFrames } from './fake-libp2p.ts'

export type FakePaymentsOptions = {
  chain: FakeChain
  payee: Address
  prices: Prices
  unpaidLimit: bigint
  freeRequests: number
}

type Client = { frames: FrameStream; channel?: Hex }

/** The paying end of a fake node: the protocol's own account reducer behind a real stream. */
export async function servePayments(libp2p: Libp2p, options: FakePaymentsOptions) {
  const { chain, payee, prices, unpaidLimit } = options
  const accounts = new Map<Hex, AccountState & { signer: Address }>()
  const clients = new Map<string, Client>()
  const free = new Map<string, number>()
  const nonce = bytesToHex(new Uint8Array(32).fill(7))
  /** Lies to order, added to what the account says. */
  const lies = {
    spent: 0n,
    paid: 0n,
    ticks: 0,
    payee,
    chainId: chain.domain.chainId,
    deaf: false,
    prices: { ...prices },
  }
  let seen: (id: Hex) => boolean = () => true

  const send = (client: Client, frame: NodePaymentFrame) => client.frames.write(encodeNodeFrame(frame))
  const refuse = (client: Client, code: string) => send(client, { type: 'error', code, message: 'no' })
  const tell = async (client: Client) => {
    const state = client.channel && accounts.get(client.channel)
    if (!state || !client.channel || lies.deaf) return
    const { voucher, tick } = state
    await send(client, {
      type: 'account',
      account: {
        channelId: client.channel,
        deposit: state.channel?.deposit ?? 0n,
        paid: paidTotal(state) + lies.paid + BigInt(lies.ticks) * (voucher?.tickValue ?? 0n),
        spent: state.spent + lies.spent,
        cumulative: (voucher?.cumulative ?? 0n) + lies.paid,
        tickAnchor: voucher?.tickAnchor ?? NO_TICKS,
        tickValue: voucher?.tickValue ?? 0n,
        ticks: tick.index + lies.ticks,
        tickPreimage: bytesToHex(tick.preimage),
      },
    })
  }
  const bind = async (client: Client, peer: string, descriptor: Descriptor, signature: Uint8Array) => {
    const id = channelId(descriptor, chain.domain)
    const statement = {
      channelId: id,
      nonce,
      clientPeerId: peerIdFromString(peer).toMultihash().bytes,
      nodePeerId: libp2p.peerId.toMultihash().bytes,
    }
    if (!verifyBind(chain.domain, statement, signature, descriptor.signer)) {
      return refuse(client, 'PAYMENT_SIGNATURE_INVALID')
    }
    const state = chain.channels.get(id)
    if (!state || !seen(id)) return refuse(client, 'PAYMENT_CHANNEL_UNKNOWN')
    if (state.status !== 'open') return refuse(client, 'PAYMENT_CHANNEL_CLOSING')
    const before = accounts.get(id) ?? { ...NEW_ACCOUNT, signer: descriptor.signer }
    const channel = { id, deposit: state.deposit, status: 'open' as const }
    const { state: next } = accountReducer(before, { type: 'channel', channel }, rules)
    accounts.set(id, { ...next, signer: descriptor.signer })
    client.channel = id
    await tell(client)
  }
  const rules = { unpaidLimit, freeRequests: 0 }
  const apply = async (client: Client, event: Parameters<typeof accountReducer>[1]) => {
    const before = client.channel && accounts.get(client.channel)
    if (!before || !client.channel) return []
    const { state, effects } = accountReducer(before, event, rules)
    accounts.set(client.channel, { ...state, signer: before.signer })
    return effects
  }
  const onFrame = async (client: Client, peer: string, bytes: Uint8Array) => {
    const frame = decodeClientFrame(bytes)
    if (frame.type === 'hello') return send(client, { type: 'terms', terms: terms() })
    if (frame.type === 'bind') return bind(client, peer, frame.descriptor, frame.signature)
    const account = client.channel && accounts.get(client.channel)
    if (!account) return refuse(client, 'PAYMENT_NO_CHANNEL')
    if (frame.type === 'voucher') {
      const { signature } = frame.voucher
      if (!verifyVoucher(chain.domain, frame.voucher, signature, account.signer)) {
        return refuse(client, 'PAYMENT_SIGNATURE_INVALID')
      }
    }
    const [effect] = await apply(client, frame)
    return effect?.type === 'refused' ? refuse(client, effect.code) : tell(client)
  }
  const terms = () => ({
    nonce,
    chainId: lies.chainId,
    contract: chain.domain.contract,
    payee: lies.payee,
    prices: lies.prices,
    unpaidLimit,
    maxTicks: MAX_TICKS,
    freeRequests: options.freeRequests,
  })

  await serveFrames(libp2p, PROTOCOL_IDS.payment, async (frames, peer) => {
    const client: Client = { frames }
    clients.set(peer, client)
    for (;;) await onFrame(client, peer, await frames.read())
  })
  chain.onChannel((id) => {
    const state = chain.channels.get(id)
    for (const client of clients.values()) {
      if (client.channel !== id || !state || !seen(id)) continue
      const channel = {
        id,
        deposit: state.deposit,
        status: state.status === 'none' ? 'closed' : state.status,
      }
      // The client may be gone by now.
      apply(client, { type: 'channel', channel })
        .then(() => tell(client))
        .catch(() => undefined)
    }
  })

  return {
    lies,
    accounts,
    /** Decides which channels this node sees on chain. */
    see(predicate: (id: Hex) => boolean) {
      seen = predicate
    },
    /** Charges a request; false: 402. */
    async charge(peer: string, requestId: string, service: keyof Prices): Promise<boolean> {
      const client = clients.get(peer)
      const price = prices[service]
      if (!client?.channel) {
        const used = free.get(peer) ?? 0
        free.set(peer, used + 1)
        return price === 0n || used < options.freeRequests
      }
      for (const effect of await apply(client, { type: 'charge', requestId, price, epoch: 1n })) {
        if (effect.type !== 'paymentRequired') continue
        const demand = { type: 'paymentRequired' as const, requestId, total: effect.total + lies.spent }
        await send(client, demand).catch(() => undefined)
        return false
      }
      return true
    },
    /** Breaks every payment stream; accounts stay. */
    async hangUp() {
      await Promise.all([...clients.values()].map(({ frames }) => frames.close()))
      clients.clear()
    },
  }
}

export type FakePayments = Awaited<ReturnType<typeof servePayments>>
