import { PostriderError } from '@postrider/protocol/errors'
import { addressOf, createTickChain, type TickChain } from '@postrider/protocol/payment'
import {
  type Address,
  bigIntToBytes,
  concatBytes,
  type Hex,
  hexToBytes,
  utf8ToBytes,
} from '@postrider/protocol/wire'
import { keccak256, type LocalAccount } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'

/** Who pays: an account that signs transactions, and a secret from which the keys of channels derive. */
export type Wallet = {
  readonly account: LocalAccount
  /** 32 bytes; never leaves the process. */
  readonly secret: Uint8Array
}

/**
 * A wallet from a private key. Read the key from a file or the environment, never from an argument.
 *
 * @throws PostriderError `CLIENT_WALLET_INVALID`
 */
export function createWallet(options: { privateKey: string }): Wallet {
  try {
    const key = hexToBytes(options.privateKey.trim(), 32)
    const hex = `0x${options.privateKey.trim().replace(/^0x/, '')}` as const
    return { account: privateKeyToAccount(hex), secret: derive('postrider/wallet-secret/1', key) }
  } catch (cause) {
    // The cause may quote the key.
    throw new PostriderError('CLIENT_WALLET_INVALID', {
      data: { cause: cause instanceof Error ? cause.name : '' },
    })
  }
}

/** What a channel's keys are bound to. */
export type ChannelPlace = { chainId: number; contract: Address; payee: Address }

/**
 * Keys of channels, all of them from the wallet's secret: a lost storage loses no channel. Nodes see a different
 * signer each and cannot tell by it that they have the same payer.
 */
export type ChannelKeys = {
  /** Salt of the n-th channel to a payee. */
  salt(place: ChannelPlace, number: number): Hex
  /** Address and key that sign the vouchers of the channel with this salt. */
  signer(salt: Hex): { address: Address; key: Uint8Array }
  /** The ticks under one voucher. A voucher's total names it: totals only grow. */
  ticks(voucher: { channelId: Hex; cumulative: bigint; tickValue: bigint }): TickChain
}

export function createChannelKeys({ secret }: Pick<Wallet, 'secret'>): ChannelKeys {
  return {
    salt: ({ chainId, contract, payee }, number) =>
      keccak256(
        concatBytes(
          utf8ToBytes('postrider/channel-salt/1'),
          secret,
          bigIntToBytes(BigInt(chainId), 32),
          hexToBytes(contract, 20),
          hexToBytes(payee, 20),
          bigIntToBytes(BigInt(number), 4),
        ),
      ),
    signer(salt) {
      const key = derive('postrider/channel-signer/1', secret, hexToBytes(salt, 32))
      return { address: addressOf(key), key }
    },
    ticks: ({ channelId, cumulative, tickValue }) =>
      createTickChain(
        derive(
          'postrider/tick-seed/1',
          secret,
          hexToBytes(channelId, 32),
          bigIntToBytes(cumulative, 16),
          bigIntToBytes(tickValue, 8),
        ),
      ),
  }
}

// Keccak has no length extension: hashing the secret with fixed-width fields is a sound derivation.
function derive(tag: string, ...parts: Uint8Array[]): Uint8Array {
  return hexToBytes(keccak256(concatBytes(utf8ToBytes(tag), ...parts)))
}
