import type { Address } from '@postrider/protocol/wire'
import { type Account, type PublicClient, parseAbi, parseSignature, type WalletClient } from 'viem'
import { PERMIT_LIFETIME_SECONDS } from './constants.ts'

// EIP-2612 and EIP-5267; a token without the latter is paid by allowance.
const PERMIT_ABI = parseAbi([
  'function nonces(address owner) view returns (uint256)',
  'function eip712Domain() view returns (bytes1 fields, string name, string version, uint256 chainId, address verifyingContract, bytes32 salt, uint256[] extensions)',
])

const PERMIT_TYPES = {
  Permit: [
    { name: 'owner', type: 'address' },
    { name: 'spender', type: 'address' },
    { name: 'value', type: 'uint256' },
    { name: 'nonce', type: 'uint256' },
    { name: 'deadline', type: 'uint256' },
  ],
} as const

/** A signed allowance, in the shape that the contracts take. */
export type Permit = { value: bigint; deadline: bigint; v: number; r: `0x${string}`; s: `0x${string}` }

export type PermitRequest = { token: Address; spender: Address; value: bigint; nowSeconds: bigint }

/** Signs a permit, or gives undefined for a token that knows none. */
export async function signPermit(
  clients: { rpc: PublicClient; wallet: WalletClient; account: Account },
  { token, spender, value, nowSeconds }: PermitRequest,
): Promise<Permit | undefined> {
  const { rpc, wallet, account } = clients
  const owner = account.address
  const contract = { address: token, abi: PERMIT_ABI } as const
  const found = await Promise.all([
    rpc.readContract({ ...contract, functionName: 'eip712Domain' }),
    rpc.readContract({ ...contract, functionName: 'nonces', args: [owner] }),
  ]).catch(() => undefined)
  if (!found) return undefined
  const [[, name, version, chainId, verifyingContract], nonce] = found
  const deadline = nowSeconds + BigInt(PERMIT_LIFETIME_SECONDS)
  const signature = await wallet.signTypedData({
    account,
    domain: { name, version, chainId: Number(chainId), verifyingContract },
    types: PERMIT_TYPES,
    primaryType: 'Permit',
    message: { owner, spender, value, nonce, deadline },
  })
  const { r, s, yParity } = parseSignature(signature)
  return { value, deadline, v: 27 + yParity, r, s }
}
