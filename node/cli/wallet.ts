import { randomUUID } from 'node:crypto'
import { PostriderError } from '@postrider/protocol/errors'
import type { LocalAccount } from 'viem'
import { privateKeyToAccount, toAccount } from 'viem/accounts'
import type { ContractCall } from '../chain/contracts.ts'
import { createSender, type Sender } from '../chain/sender.ts'
import type { Quote, TransactionIntent } from '../chain/transaction-runner.ts'
import { createMemoryTransactionStore } from '../chain/transaction-store.ts'
import { configPaths } from '../core/config/index.ts'
import { decryptAccount, readKeyFile } from '../core/keystore.ts'
import { silentLogger } from '../core/logger.ts'
import type { Cli } from './cli.ts'
import type { ChainContext } from './context.ts'
import { keystorePassword } from './session.ts'

/** What became of a transaction. */
export type Sent = { hash: `0x${string}`; block: number; gas: bigint /** Wei. */; fee: bigint }

/** Sends one transaction after the other and waits until each is mined. */
export type Wallet = {
  /** @throws PostriderError `CHAIN_*`, as `Sender.submit` */
  send(intent: TransactionIntent): Promise<Sent>
  close(): Promise<void>
}

/** A command is done when its transaction is mined; the node's own views wait for more blocks. */
const CONFIRMATIONS = 0

/** A key that never repeats: every run of a command is a new act, decided by a person. */
export const newIntentKey = (action: string): string => `cli/${action}/${randomUUID()}`

/** What a transaction would cost now, without its key; throws `CHAIN_REVERTED` if it would be refused. */
export function quote(cli: Cli, context: ChainContext, call: ContractCall): Promise<Quote> {
  return senderOf(cli, context, lockedAccount(context.account)).quote({ ...call, key: '' })
}

/**
 * Unlocks the keystore.
 *
 * @throws PostriderError `KEYS_*`
 */
export async function openWallet(cli: Cli, context: ChainContext, passwordFile?: string): Promise<Wallet> {
  const { config, account } = context
  const json = await readKeyFile(configPaths(config).keystoreFile)
  const { address, privateKey } = await decryptAccount(
    json,
    await keystorePassword(cli, config, passwordFile),
  )
  if (address.toLowerCase() !== account.toLowerCase()) {
    throw new PostriderError('KEYS_ADDRESS_MISMATCH', { data: { address, expected: account } })
  }
  const sender = senderOf(cli, context, privateKeyToAccount(privateKey))
  await sender.start()
  return {
    async send(intent) {
      const { transactionHash, blockNumber, gasUsed, effectiveGasPrice } = await sender.submit(intent)
      return {
        hash: transactionHash,
        block: Number(blockNumber),
        gas: gasUsed,
        fee: gasUsed * effectiveGasPrice,
      }
    },
    close: () => sender.stop(),
  }
}

function senderOf({ io }: Cli, { chain, config }: ChainContext, account: LocalAccount): Sender {
  const { maxFeePerGas, pollMs } = config.chain
  const store = createMemoryTransactionStore()
  return createSender(
    { client: chain.client, store, clock: io.clock, logger: silentLogger },
    { account, maxFeePerGas, pollMs, confirmations: CONFIRMATIONS },
  )
}

/** The account for simulations: its address without its key. */
function lockedAccount(address: `0x${string}`): LocalAccount {
  const refuse = () => Promise.reject(new PostriderError('KEYS_PASSWORD_MISSING'))
  return toAccount({ address, signMessage: refuse, signTransaction: refuse, signTypedData: refuse })
}
