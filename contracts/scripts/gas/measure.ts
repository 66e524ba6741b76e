/** Measures what each call costs, as a whole transaction in the steady state (warm balances, allowance set). */
import { createHash } from 'node:crypto'
import { poseidon1 } from 'poseidon-lite'
import { type Address, encodeAbiParameters, type Hex, keccak256, parseSignature, toHex } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { EMPTY_CLAIM, toClaim } from '../../claim/index.ts'
import { ABIS, type GasChain, startGasChain } from './chain.ts'

/** Gas used, by name of the call. */
export type GasReport = Record<string, number>

const POST = 10n ** 18n
const MAX_TICKS = 64
const BATCH = 100
const SMALL_BATCH = 10

const named = (name: string): Hex => keccak256(toHex(name))
const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()

const signer = privateKeyToAccount(named('signer'))
const permitter = privateKeyToAccount(named('permitter'))

const VOUCHER = [
  { name: 'channelId', type: 'bytes32' },
  { name: 'cumulative', type: 'uint128' },
  { name: 'tickAnchor', type: 'bytes32' },
  { name: 'tickValue', type: 'uint64' },
] as const

const PERMIT = ['owner:address', 'spender:address', 'value:uint256', 'nonce:uint256', 'deadline:uint256'].map(
  (f) => {
    const [name, type] = f.split(':') as [string, string]
    return { name, type }
  },
)

const CHANNEL_ID = ['address', 'address', 'address', 'bytes32', 'address', 'address', 'uint256'].map(
  (type) => ({
    type,
  }),
)

/** Anchor and last preimage of a chain as long as a claim allows. */
function ticks(): { anchor: Hex; preimage: Hex } {
  const preimage = Buffer.from(named('ticks').slice(2), 'hex')
  let link: Uint8Array = preimage
  for (let i = 0; i < MAX_TICKS; i += 1) link = sha256(link)
  return { anchor: toHex(link), preimage: toHex(preimage) }
}

function createChannels(chain: GasChain) {
  const { payer, payee } = chain.accounts
  const descriptor = (n: number) => ({ payer, payee, signer: signer.address, salt: named(`salt ${n}`) })
  const channelId = (n: number): Hex => {
    const d = descriptor(n)
    return keccak256(
      encodeAbiParameters(CHANNEL_ID, [
        d.payer,
        d.payee,
        chain.token,
        d.salt,
        d.signer,
        chain.channels,
        BigInt(chain.chainId),
      ]),
    )
  }
  const { anchor, preimage } = ticks()
  const claim = async (n: number, cumulative: bigint, tickCount = 0) => {
    const voucher = { cumulative, tickAnchor: anchor, tickValue: 12_345_678_901_234n }
    const signature = await signer.signTypedData({
      domain: {
        name: 'Postrider PaymentChannels',
        version: '1',
        chainId: chain.chainId,
        verifyingContract: chain.channels,
      },
      types: { Voucher: VOUCHER },
      primaryType: 'Voucher',
      message: { channelId: channelId(n), ...voucher },
    })
    return toClaim({ ...voucher, signature }, tickCount === 0 ? undefined : { count: tickCount, preimage })
  }
  const call = (from: Address, name: string, args: readonly unknown[]) =>
    chain.send(from, chain.channels, ABIS.channels, name, args)
  const open = (n: number) =>
    call(payer, 'open', [payee, signer.address, named(`salt ${n}`), POST + 987_654_321n])
  return { payer, payee, descriptor, channelId, claim, call, open }
}

/** An EIP-2612 permit of the account that has a key here, for all that it has. */
async function permit(chain: GasChain, spender: Address, nonce: bigint) {
  const value = 2n ** 255n
  const deadline = 2n ** 40n
  const signature = await permitter.signTypedData({
    domain: {
      name: 'Postrider devnet token',
      version: '1',
      chainId: chain.chainId,
      verifyingContract: chain.token,
    },
    types: { Permit: PERMIT },
    primaryType: 'Permit',
    message: { owner: permitter.address, spender, value, nonce, deadline },
  })
  const { r, s, v } = parseSignature(signature)
  return { value, deadline, v: Number(v), r, s }
}

async function measureChannels(chain: GasChain): Promise<GasReport> {
  const { payer, payee, descriptor, channelId, claim, call, open } = createChannels(chain)
  const report: GasReport = {}
  // The payer's nonce slot on this contract does not exist; the first open is as dear as the next.
  report.open = await open(0)
  for (let n = 1; n < 10; n += 1) await open(n)
  report.top_up = await call(payer, 'topUp', [channelId(0), POST])
  report.settle = await call(payee, 'settle', [descriptor(0), await claim(0, POST / 3n)])
  report.settle_64_ticks = await call(payee, 'settle', [descriptor(0), await claim(0, POST / 2n, MAX_TICKS)])
  report.set_payout_address = await call(payee, 'setPayoutAddress', [payee, payee])

  const batch = async (first: number, count: number, share: bigint) => {
    const items = []
    for (let n = first; n < first + count; n += 1) {
      items.push({ ...descriptor(n), claim: await claim(n, POST / share + BigInt(n)) })
    }
    return items
  }
  for (let n = 100; n < 100 + BATCH; n += 1) await open(n)
  const many = await call(payee, 'settleMany', [payee, await batch(100, BATCH, 3n)])
  report.settle_many_100_each = Math.ceil(many / BATCH)
  const few = await call(payee, 'settleMany', [payee, await batch(100, SMALL_BATCH, 2n)])
  report.settle_many_10_each = Math.ceil(few / SMALL_BATCH)

  report.close_first = await call(payee, 'close', [descriptor(0), await claim(0, (POST * 2n) / 3n)])
  report.close = await call(payee, 'close', [descriptor(1), await claim(1, POST / 3n)])
  report.close_without_claim = await call(payee, 'close', [descriptor(2), EMPTY_CLAIM])
  const closed = await call(payee, 'closeMany', [await batch(100, SMALL_BATCH, 1n)])
  report.close_many_10_each = Math.ceil(closed / SMALL_BATCH)

  await call(payee, 'settle', [descriptor(3), await claim(3, POST / 3n)])
  report.request_close = await call(payer, 'requestClose', [descriptor(3)])
  await chain.pass(100)
  report.withdraw = await call(payer, 'withdraw', [descriptor(3)])
  report.withdraw_refund = await call(payee, 'withdrawRefund', [payer])
  report.flush_burn = await call(payee, 'flushBurn', [])
  return { ...report, ...(await measurePermits(chain)) }
}

/** Calls that need an owner with a key here; impersonated to send, since only its signature matters. */
async function measurePermits(chain: GasChain): Promise<GasReport> {
  const { payee } = chain.accounts
  const owner = permitter.address
  await chain.impersonate(owner)
  await chain.send(chain.accounts.deployer, chain.token, ABIS.token, 'faucet', [owner, 1_000n * POST])
  const call = (name: string, args: readonly unknown[]) =>
    chain.send(owner, chain.channels, ABIS.channels, name, args)
  const toChannels = (nonce: bigint) => permit(chain, chain.channels, nonce)
  const salt = named('permit')
  const report: GasReport = {}
  const first = await toChannels(0n)
  report.open_with_permit = await call('openWithPermit', [payee, owner, salt, POST, first])
  const id = keccak256(
    encodeAbiParameters(CHANNEL_ID, [
      owner,
      payee,
      chain.token,
      salt,
      owner,
      chain.channels,
      BigInt(chain.chainId),
    ]),
  )
  report.top_up_with_permit = await call('topUpWithPermit', [id, POST, await toChannels(1n)])
  const forMembership = await permit(chain, chain.membership, 2n)
  const args = [poseidon1([77n]), 20, owner, forMembership]
  report.rln_register_with_permit = await chain.send(
    owner,
    chain.membership,
    ABIS.membership,
    'registerWithPermit',
    args,
  )
  return report
}

async function measureMembership(chain: GasChain): Promise<GasReport> {
  const { payer, other } = chain.accounts
  const call = (from: Address, name: string, args: readonly unknown[]) =>
    chain.send(from, chain.membership, ABIS.membership, name, args)
  const secrets = [11n, 22n, 33n, 44n].map((n) => BigInt(named(`secret ${n}`)) >> 4n)
  const commitments = secrets.map((secret) => poseidon1([secret]))
  const report: GasReport = {}
  await call(payer, 'register', [commitments[0], 20, payer])
  report.rln_register = await call(payer, 'register', [commitments[1], 20, payer])
  await call(payer, 'register', [commitments[2], 20, payer])

  const nonce = named('nonce')
  const promise = (secret: bigint) =>
    keccak256(
      encodeAbiParameters(
        [{ type: 'address' }, { type: 'uint256' }, { type: 'bytes32' }],
        [other, secret, nonce],
      ),
    )
  const secret = secrets[1] as bigint
  report.rln_slash_commit = await call(other, 'commitSlash', [promise(secret)])
  report.rln_slash_reveal = await call(other, 'revealSlash', [secret, nonce, other])
  report.rln_leave = await call(payer, 'leaveGroup', [commitments[0]])
  await chain.pass(100)
  report.rln_withdraw = await call(payer, 'withdraw', [commitments[0]])
  report.rln_flush_burn = await call(other, 'flushBurn', [])
  return report
}

async function measureRegistry(chain: GasChain): Promise<GasReport> {
  const { deployer, payee, other } = chain.accounts
  const call = (from: Address, name: string, args: readonly unknown[]) =>
    chain.send(from, chain.registry, ABIS.registry, name, args)
  const endpoints = ['/ip4/203.0.113.7/tcp/60000', '/dns4/node-1.example.org/tcp/443/wss']
  const registration = (name: string) => ({
    peerKey: named(name),
    signer: signer.address,
    withdrawal: other,
    services: 15,
    endpoints,
    prices: { publish: 10n ** 12n, query: 10n ** 13n, push: 10n ** 11n },
  })
  const report: GasReport = {}
  await call(other, 'register', [registration('first'), 1_000n * POST])
  report.stake_register = await call(payee, 'register', [registration('node'), 1_000n * POST])
  report.stake_add = await call(payee, 'addStake', [payee, POST])
  report.update_endpoints = await call(payee, 'updateEndpoints', [endpoints.toReversed()])
  report.update_prices = await call(payee, 'updatePrices', [{ publish: 1n, query: 2n, push: 3n }])
  report.update_services = await call(payee, 'updateServices', [7])
  report.update_signer = await call(payee, 'updateSigner', [permitter.address])
  report.update_peer_key = await call(payee, 'updatePeerKey', [named('next')])
  report.propose_withdrawal = await call(other, 'proposeWithdrawal', [payee, deployer])
  report.confirm_withdrawal = await call(deployer, 'confirmWithdrawal', [payee])

  // The token stands in for the dispute contract: any contract can be named, and this one is there.
  const slasher = chain.token
  report.appoint_slasher = await call(deployer, 'appointSlasher', [slasher])
  await chain.pass(100)
  await chain.impersonate(slasher)
  report.stake_lock = await call(slasher, 'lock', [payee])
  await call(slasher, 'slash', [payee, POST, other])
  report.stake_slash = await call(slasher, 'slash', [payee, POST, other])
  report.stake_unlock = await call(slasher, 'unlock', [payee])

  report.announce_exit = await call(payee, 'announceExit', [payee])
  report.cancel_exit = await call(deployer, 'cancelExit', [payee])
  await call(payee, 'announceExit', [payee])
  await chain.pass(100)
  report.withdraw_stake = await call(payee, 'withdrawStake', [payee])
  return report
}

/** Runs everything on a fresh in-process chain. The same source gives the same numbers. */
export async function measureGas(): Promise<GasReport> {
  const chain = await startGasChain()
  try {
    const channels = await measureChannels(chain)
    const membership = await measureMembership(chain)
    const registry = await measureRegistry(chain)
    const deployments = Object.fromEntries(
      Object.entries(chain.deployments).map(([name, gas]) => [`deploy_${name}`, gas]),
    )
    return { ...channels, ...membership, ...registry, ...deployments }
  } finally {
    await chain.close()
  }
}
