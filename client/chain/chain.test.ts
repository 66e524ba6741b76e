import { nodeRegistryAbi, paymentChannelsAbi, postTokenAbi } from '@postrider/contracts'
import { channelId, compactSignature, signVoucher } from '@postrider/protocol/payment'
import { createIdentity } from '@postrider/protocol/rln'
import { type Address, bytesToHex } from '@postrider/protocol/wire'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type DevChain, startDevChain } from '../../node/chain/testing/devchain.ts'
import { createMembers, foldAccumulator } from '../rln/members.ts'
import { createChannelKeys, createWallet } from '../wallet/keys.ts'
import { createChainReader } from './reader.ts'
import type { ChainReader, ChainWriter, Descriptor } from './types.ts'
import { createChainWriter } from './writer.ts'

const POST = 10n ** 18n
const wallet = createWallet({ privateKey: '77'.repeat(32) })
const keys = createChannelKeys(wallet)
const payer = wallet.account.address
let chain: DevChain
let reader: ChainReader
let writer: ChainWriter
let payee: Address

beforeAll(async () => {
  chain = await startDevChain()
  payee = chain.account(1).address
  await chain.fund(payer, POST)
  await chain.mint(payer, 1_000n * POST)
  reader = createChainReader(chain.network)
  writer = createChainWriter(chain.network, wallet.account)
})
afterAll(() => chain?.stop())

function draw(number: number): Descriptor & { id: `0x${string}` } {
  const { chainId, contracts } = chain.network
  const contract = contracts.paymentChannels
  const salt = keys.salt({ chainId, contract, payee }, number)
  const descriptor = { payer, payee, signer: keys.signer(salt).address, salt }
  return { ...descriptor, id: channelId(descriptor, { chainId, contract, token: contracts.token }) }
}

describe('channels', () => {
  it('are opened and topped up with a permit, without an allowance', async () => {
    const { id, ...descriptor } = draw(0)
    expect(await reader.channel(id)).toEqual({ status: 'none', deposit: 0n, settled: 0n, closeAt: 0 })
    const before = await reader.tokenBalance(payer)
    await writer.openChannel(descriptor, 5n * POST)
    await writer.topUpChannel(id, 2n * POST)
    expect(await reader.channel(id)).toMatchObject({ status: 'open', deposit: 7n * POST })
    expect(before - (await reader.tokenBalance(payer))).toBe(7n * POST)
  })

  it('are opened by an allowance where there is one', async () => {
    const { token, paymentChannels } = chain.network.contracts
    const { id, ...descriptor } = draw(1)
    await chain.client.writeContract({
      account: wallet.account,
      address: token,
      abi: postTokenAbi,
      functionName: 'approve',
      args: [paymentChannels, 3n * POST],
    })
    await writer.openChannel(descriptor, 3n * POST)
    expect((await reader.channel(id)).deposit).toBe(3n * POST)
  })

  it('pay out what our keys promised, close after the thaw, and give the rest back', async () => {
    const { id, ...descriptor } = draw(0)
    const { chainId, contracts } = chain.network
    const domain = { chainId, contract: contracts.paymentChannels, token: contracts.token }
    const voucher = { channelId: id, cumulative: 2n * POST, tickValue: POST }
    const ticks = keys.ticks(voucher)
    const signed = { ...voucher, tickAnchor: bytesToHex(ticks.anchor) }
    const signature = signVoucher(domain, signed, keys.signer(descriptor.salt).key)
    const { r, vs } = compactSignature(signature)
    await chain.client.writeContract({
      account: chain.account(1),
      address: contracts.paymentChannels,
      abi: paymentChannelsAbi,
      functionName: 'settle',
      args: [
        descriptor,
        {
          cumulative: signed.cumulative,
          tickAnchor: signed.tickAnchor,
          tickValue: signed.tickValue,
          tickCount: 1,
          tickPreimage: bytesToHex(ticks.preimage(1)),
          r,
          vs,
        },
      ],
    })
    expect((await reader.channel(id)).settled).toBe(3n * POST)

    await writer.requestClose(descriptor)
    const { status, closeAt } = await reader.channel(id)
    expect(status).toBe('closing')
    const early = writer.withdrawChannel(descriptor)
    await expect(early).rejects.toMatchObject({
      code: 'CLIENT_TRANSACTION_FAILED',
      data: { reason: 'PaymentChannels_Thawing', args: [id, String(closeAt)] },
    })
    await chain.increaseTime(closeAt)
    const before = await reader.tokenBalance(payer)
    await writer.withdrawChannel(descriptor)
    expect((await reader.tokenBalance(payer)) - before).toBe(4n * POST)
    expect((await reader.channel(id)).status).toBe('closed')
  })

  it('closed by the payee leave a refund to take', async () => {
    const { id, ...descriptor } = draw(1)
    await chain.client.writeContract({
      account: chain.account(1),
      address: chain.network.contracts.paymentChannels,
      abi: paymentChannelsAbi,
      functionName: 'close',
      args: [descriptor, emptyClaim()],
    })
    expect(await reader.refundOf(payer)).toBe(3n * POST)
    await writer.withdrawRefund()
    expect(await reader.refundOf(payer)).toBe(0n)
    expect((await reader.channel(id)).status).toBe('closed')
  })

  it('that are opened twice name the error of the contract', async () => {
    const { id: _, ...descriptor } = draw(0)
    await expect(writer.openChannel(descriptor, POST)).rejects.toMatchObject({
      code: 'CLIENT_TRANSACTION_FAILED',
      retryable: false,
      data: { reason: 'PaymentChannels_AlreadyOpened' },
    })
  })
})

describe('membership', () => {
  it('is registered with a permit, read back, and adds up to the running hash', async () => {
    const { commitment } = createIdentity((length) => new Uint8Array(length).fill(9))
    const { deposit, burnt } = await reader.membershipCost(20)
    await writer.registerMember(commitment, 20, deposit + burnt)
    expect(await reader.member(commitment)).toMatchObject({ status: 'active', owner: payer, limit: 20 })
    const head = await reader.membershipHead(0)
    const changes = await reader.membershipChanges(BigInt(chain.network.deployBlock), head.block)
    expect(foldAccumulator(createMembers().accumulator(), changes)).toBe(head.accumulator)
    const members = createMembers()
    members.apply(changes)
    expect(members.find(commitment)).toEqual({ index: head.nextIndex - 1, limit: 20 })

    await writer.leaveGroup(commitment)
    const { status, withdrawableAt } = await reader.member(commitment)
    expect(status).toBe('leaving')
    await chain.increaseTime(withdrawableAt)
    const before = await reader.tokenBalance(payer)
    await writer.withdrawMember(commitment)
    expect((await reader.tokenBalance(payer)) - before).toBe(deposit)
  })
})

describe('registry', () => {
  it('gives active nodes with everything that a client needs', async () => {
    expect(await reader.nodes()).toEqual([])
    const { nodeRegistry, token } = chain.network.contracts
    const account = chain.account(2)
    await chain.mint(account.address, 100_000n * POST)
    const [, minStake] = await chain.client.readContract({
      address: nodeRegistry,
      abi: nodeRegistryAbi,
      functionName: 'parameters',
    })
    await chain.client.writeContract({
      account,
      address: token,
      abi: postTokenAbi,
      functionName: 'approve',
      args: [nodeRegistry, minStake],
    })
    const node = {
      peerKey: bytesToHex(new Uint8Array(32).fill(5)),
      signer: account.address,
      services: 15,
      endpoints: ['/ip4/127.0.0.1/tcp/4000'],
      prices: { publish: 1n, query: 2n, push: 3n },
    }
    await chain.client.writeContract({
      account,
      address: nodeRegistry,
      abi: nodeRegistryAbi,
      functionName: 'register',
      args: [{ ...node, withdrawal: chain.account(3).address }, minStake],
    })
    expect(await reader.nodes()).toMatchObject([{ ...node, operator: account.address, stake: minStake }])
    await chain.client.writeContract({
      account,
      address: nodeRegistry,
      abi: nodeRegistryAbi,
      functionName: 'announceExit',
      args: [account.address],
    })
    expect(await reader.nodes()).toEqual([])
  })
})

describe('endpoints', () => {
  it('are tried one after the other, and must serve the right chain', async () => {
    const dead = 'http://127.0.0.1:1'
    const second = createChainReader({ ...chain.network, rpcUrls: [dead, chain.url] })
    await second.checkChain()
    const wrong = createChainReader({ ...chain.network, chainId: 5 })
    await expect(wrong.checkChain()).rejects.toMatchObject({ code: 'CLIENT_WRONG_CHAIN' })
    const away = createChainReader({ ...chain.network, rpcUrls: [dead] })
    await expect(away.tokenBalance(payer)).rejects.toMatchObject({ code: 'CLIENT_CHAIN_UNAVAILABLE' })
  })

  it('without gas money say so', async () => {
    const poor = createWallet({ privateKey: '78'.repeat(32) })
    await chain.mint(poor.account.address, POST)
    const broke = createChainWriter(chain.network, poor.account)
    const { id: _, ...descriptor } = draw(9)
    const refused = await broke.openChannel(descriptor, POST).catch((error) => error)
    expect(refused).toMatchObject({
      code: 'CLIENT_GAS_MISSING',
      data: { asset: 'ETH', address: poor.account.address, balance: '0' },
    })
    expect(refused.data.missing).toBe(refused.data.needed)
  })
})

function emptyClaim() {
  const zero = bytesToHex(new Uint8Array(32))
  return {
    cumulative: 0n,
    tickAnchor: zero,
    tickValue: 0n,
    tickCount: 0,
    tickPreimage: zero,
    r: zero,
    vs: zero,
  }
}
