import fc from 'fast-check'
import { poseidon1 } from 'poseidon-lite'
import {
  domainSeparator,
  encodeAbiParameters,
  type Hex,
  hashTypedData,
  keccak256,
  parseEther,
  toHex,
} from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { paymentChannelsAbi, postTokenAbi, rlnMembershipAbi, toClaim } from '../index.ts'
import { type LocalChain, startLocalChain } from './support/local-chain.ts'

const VOUCHER = {
  Voucher: [
    { name: 'channelId', type: 'bytes32' },
    { name: 'cumulative', type: 'uint128' },
    { name: 'tickAnchor', type: 'bytes32' },
    { name: 'tickValue', type: 'uint64' },
  ],
} as const

const FIELD_MODULUS = 21888242871839275222246405745257275088548364400416034343698204186575808495617n

const word = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes): Hex => toHex(bytes))
const address = fc.uint8Array({ minLength: 20, maxLength: 20 }).map((bytes): Hex => toHex(bytes))
const voucher = fc.record({
  channelId: word,
  cumulative: fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }),
  tickAnchor: word,
  tickValue: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
})

/** Each case is a call over HTTP: enough of them to hit every field's edges. */
const CASES = { numRuns: 40 }

let chain: LocalChain
const read = (
  functionName: 'hashVoucher' | 'channelIdOf' | 'domainSeparator' | 'VOUCHER_TYPEHASH',
  args: unknown[] = [],
) =>
  chain.client.readContract({
    address: chain.network.contracts.paymentChannels,
    abi: paymentChannelsAbi,
    functionName,
    args,
  } as never) as Promise<Hex>

beforeAll(async () => {
  chain = await startLocalChain()
})
afterAll(() => chain.stop())

const domain = () => ({
  name: 'Postrider PaymentChannels',
  version: '1',
  chainId: chain.network.chainId,
  verifyingContract: chain.network.contracts.paymentChannels,
})

describe('EIP-712 in Solidity and in viem', () => {
  test('the type hash is of the type that clients sign', async () => {
    const fields = VOUCHER.Voucher.map(({ type, name }) => `${type} ${name}`).join(',')
    expect(await read('VOUCHER_TYPEHASH')).toBe(keccak256(toHex(`Voucher(${fields})`)))
  })

  test('the domain separator is the same', async () => {
    expect(await read('domainSeparator')).toBe(domainSeparator({ domain: domain() }))
  })

  test('every voucher has the same digest', async () => {
    await fc.assert(
      fc.asyncProperty(voucher, async (message) => {
        const expected = hashTypedData({ domain: domain(), types: VOUCHER, primaryType: 'Voucher', message })
        expect(await read('hashVoucher', [message])).toBe(expected)
      }),
      CASES,
    )
  })

  test('every descriptor has the same channel id', async () => {
    const descriptor = fc.record({ payer: address, payee: address, signer: address, salt: word })
    const types = ['address', 'address', 'address', 'bytes32', 'address', 'address', 'uint256']
    await fc.assert(
      fc.asyncProperty(descriptor, async ({ payer, payee, signer, salt }) => {
        const { token, paymentChannels } = chain.network.contracts
        const values = [payer, payee, token, salt, signer, paymentChannels, BigInt(chain.network.chainId)]
        const expected = keccak256(
          encodeAbiParameters(
            types.map((type) => ({ type })),
            values,
          ),
        )
        expect(await read('channelIdOf', [{ payer, payee, signer, salt }])).toBe(expected)
      }),
      CASES,
    )
  })

  test('a voucher signed by viem settles', async () => {
    const [, payer, payee] = chain.accounts as [Hex, Hex, Hex]
    const { token, paymentChannels } = chain.network.contracts
    const signer = privateKeyToAccount(generatePrivateKey())
    const salt = keccak256(toHex('salt'))
    const send = async (hash: Promise<Hex>) => chain.client.waitForTransactionReceipt({ hash: await hash })
    const amount = parseEther('10')
    const asPayer = { account: payer, chain: null }
    await send(
      chain.wallet.writeContract({
        ...asPayer,
        address: token,
        abi: postTokenAbi,
        functionName: 'faucet',
        args: [payer, amount],
      }),
    )
    await send(
      chain.wallet.writeContract({
        ...asPayer,
        address: token,
        abi: postTokenAbi,
        functionName: 'approve',
        args: [paymentChannels, amount],
      }),
    )
    await send(
      chain.wallet.writeContract({
        ...asPayer,
        address: paymentChannels,
        abi: paymentChannelsAbi,
        functionName: 'open',
        args: [payee, signer.address, salt, amount],
      }),
    )
    const descriptor = { payer, payee, signer: signer.address, salt }
    const channelId = await read('channelIdOf', [descriptor])
    const terms = { cumulative: parseEther('4'), tickAnchor: keccak256(toHex('anchor')), tickValue: 5n }
    const signature = await signer.signTypedData({
      domain: domain(),
      types: VOUCHER,
      primaryType: 'Voucher',
      message: { channelId, ...terms },
    })
    const { result } = await chain.client.simulateContract({
      account: payee,
      address: paymentChannels,
      abi: paymentChannelsAbi,
      functionName: 'settle',
      args: [descriptor, toClaim({ ...terms, signature })],
    })
    // One percent is burnt on the devnet.
    expect(result).toBe((parseEther('4') * 99n) / 100n)
  })
})

describe('Poseidon in Solidity and in poseidon-lite', () => {
  const commitmentOf = (secret: bigint) =>
    chain.client.readContract({
      address: chain.network.contracts.rlnMembership,
      abi: rlnMembershipAbi,
      functionName: 'commitmentOf',
      args: [secret],
    })

  test('every secret has the same commitment', async () => {
    const secrets = fc.bigInt({ min: 1n, max: FIELD_MODULUS - 1n })
    await fc.assert(
      fc.asyncProperty(secrets, async (secret) => {
        expect(await commitmentOf(secret)).toBe(poseidon1([secret]))
      }),
      { ...CASES, examples: [[1n], [FIELD_MODULUS - 1n]] },
    )
  })
})
