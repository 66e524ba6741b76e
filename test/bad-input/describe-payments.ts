import {
  type ClientPaymentFrame,
  MAX_TICKS,
  type SignedVoucher,
  type Tick,
} from '@postrider/protocol/payment'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ChannelEntry, units, until } from '../../devnet/figures.ts'
import type { PaymentClient } from '../../node/payments/testing/client.ts'
import type { Payer } from '../../node/payments/testing/kit.ts'
import { bindChannel, type ChannelPayer, openChannelTo, openPayments } from '../support/payer.ts'
import type { RawPeer } from '../support/raw-peer.ts'
import { openPeer, PATIENCE_MS, type Scene } from './scene.ts'

/** Payments that a channel does not owe, on a real channel. */
export function describePayments(scene: Scene): void {
  describe('forged payments', () => {
    const TICKS = { chain: 'c', value: 2n }
    const DEPOSIT = 10_000n
    let payer: ChannelPayer
    let other: ChannelPayer
    let stream: PaymentClient
    let peer: RawPeer

    beforeAll(async () => {
      payer = await openChannelTo(scene.net, scene.node, { name: 'payer', deposit: DEPOSIT })
      other = await openChannelTo(scene.net, scene.node, { name: 'other', deposit: DEPOSIT })
      peer = await openPeer(scene)
      stream = await bindChannel(peer, payer)
      await stream.send({ type: 'voucher', voucher: payer.voucher(1_000n, TICKS) })
      await stream.send({ type: 'tick', tick: payer.tick('c', 3) })
      await stream.account(({ paid }) => paid === 1_006n)
    })
    afterAll(() => peer?.[Symbol.asyncDispose]())

    const channelOf = async ({ channelId }: Payer) => {
      const { paid, spent, ticks, deposit, state } = await scene.node.get<ChannelEntry & { state: string }>(
        `/v1/channels/${channelId}`,
      )
      return { paid, spent, ticks, deposit, state }
    }

    const forgeries: [name: string, forge: () => ClientPaymentFrame, code: string][] = [
      [
        'a voucher of another signer',
        () => signedBy(other.voucher(2_000n), payer.voucher(2_000n)),
        'PAYMENT_SIGNATURE_INVALID',
      ],
      [
        'a signature of a smaller amount',
        () => signedBy(payer.voucher(2_000n), payer.voucher(9_000n)),
        'PAYMENT_SIGNATURE_INVALID',
      ],
      [
        'a voucher of another chain',
        () => signedBy(payer.elsewhere({ chainId: 1 }).voucher(2_000n), payer.voucher(2_000n)),
        'PAYMENT_SIGNATURE_INVALID',
      ],
      [
        'a voucher of another contract',
        () =>
          signedBy(payer.elsewhere({ contract: scene.node.account }).voucher(2_000n), payer.voucher(2_000n)),
        'PAYMENT_SIGNATURE_INVALID',
      ],
      ['a voucher of another channel', () => voucher(other.voucher(2_000n)), 'PAYMENT_CHANNEL_MISMATCH'],
      ['a smaller total', () => voucher(payer.voucher(999n)), 'PAYMENT_VOUCHER_NOT_GROWING'],
      ['a total below the ticks', () => voucher(payer.voucher(1_005n)), 'PAYMENT_VOUCHER_NOT_GROWING'],
      [
        'the same total with other ticks',
        () => voucher(payer.voucher(1_000n)),
        'PAYMENT_VOUCHER_NOT_GROWING',
      ],
      ['more than the deposit', () => voucher(payer.voucher(DEPOSIT + 1n)), 'PAYMENT_EXCEEDS_DEPOSIT'],
      ['an older tick', () => tick(payer.tick('c', 2)), 'PAYMENT_TICK_NOT_GROWING'],
      ['a tick of another chain', () => tick(payer.tick('d', 4)), 'PAYMENT_TICK_INVALID'],
      ['a tick under another index', () => tick({ ...payer.tick('c', 5), index: 6 }), 'PAYMENT_TICK_INVALID'],
      [
        'more ticks than a voucher has',
        () => tick({ ...payer.tick('c', MAX_TICKS), index: MAX_TICKS + 1 }),
        'PAYMENT_TICKS_EXHAUSTED',
      ],
    ]
    const voucher = (signed: SignedVoucher): ClientPaymentFrame => ({ type: 'voucher', voucher: signed })
    const tick = (next: Tick): ClientPaymentFrame => ({ type: 'tick', tick: next })
    const signedBy = ({ signature }: SignedVoucher, contents: SignedVoucher) =>
      voucher({ ...contents, signature })

    it.each(forgeries)('%s: refused, and nothing is changed', async (_, forge, code) => {
      const before = await channelOf(payer)
      await stream.send(forge())
      expect((await stream.next('error')).code).toBe(code)
      if (code === 'PAYMENT_SIGNATURE_INVALID') {
        await stream.closed()
        stream = await bindChannel(peer, payer)
      }
      expect(await channelOf(payer)).toEqual(before)
    })

    it('a replay of vouchers and ticks is worth nothing more', async () => {
      const before = await channelOf(payer)
      await stream.send(voucher(payer.voucher(1_000n, TICKS)))
      await stream.send(tick(payer.tick('c', 3)))
      expect((await stream.next('account')).account.paid).toBe(1_006n)
      expect(await channelOf(payer)).toEqual(before)
    })

    it('a Bind that was overheard binds nothing on another connection', async () => {
      await using thief = await openPeer(scene)
      const ours = await openPayments(peer)
      const { nonce } = await ours.hello()
      const theirs = await openPayments(thief)
      await theirs.hello()
      const clientPeerId = peer.host.libp2p.peerId.toMultihash().bytes
      const nodePeerId = peer.connection.remotePeer.toMultihash().bytes
      await theirs.send({
        type: 'bind',
        descriptor: payer.descriptor,
        signature: payer.bind({ nonce, clientPeerId, nodePeerId }),
      })
      expect((await theirs.next('error')).code).toBe('PAYMENT_SIGNATURE_INVALID')
      await theirs.closed()
      await ours.close()
    })

    it('leaves the channel as good as it was', async () => {
      await stream.send(tick(payer.tick('c', 4)))
      await stream.account(({ paid }) => paid === 1_008n)
      await stream.send(voucher(payer.voucher(1_500n)))
      await stream.account(({ paid }) => paid === 1_500n)
      await scene.node.command(['rewards', 'claim-all', '--force'])
      await until('the claim is confirmed', PATIENCE_MS, async () => {
        const { settled } = await scene.node.get<ChannelEntry>(`/v1/channels/${payer.channelId}`)
        return units(settled) === 1_500n
      })
    })
  })
}
