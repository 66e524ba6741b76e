import { existsSync } from 'node:fs'
import { isPostriderError } from '@postrider/protocol/errors'
import type { Network } from '@postrider/protocol/network'
import { type Config, configPaths } from '../../core/config/index.ts'
import { parseRlnKeystore, readKeyFile } from '../../core/keystore.ts'
import type { ChainReader } from '../../operator/chain-reader.ts'
import { type Check, failed, ok, skipped, warning } from '../../operator/checks.ts'
import { counted, duration, ether, post } from '../../operator/text.ts'
import { openChainReader } from '../chain.ts'
import type { Cli } from '../cli.ts'
import { readPublicKeys } from '../commands/keys.ts'
import { GAS_RESERVE_UNITS, MAX_CLOCK_DIFFERENCE_SECONDS } from '../constants.ts'

type Context = { cli: Cli; config: Config; chain: ChainReader; account: `0x${string}` }

/** Reachability, clock, funds, stake and membership. */
export async function chainChecks(cli: Cli, config: Config, network: Network): Promise<Check[]> {
  const chain = openChainReader(cli, config, network)
  try {
    return await checksOver(cli, config, chain)
  } finally {
    chain.close()
  }
}

async function checksOver(cli: Cli, config: Config, chain: ChainReader): Promise<Check[]> {
  const reach = await reachCheck(chain)
  if (reach.state === 'failed')
    return [reach, skipped('funds, stake, RLN membership', 'the chain cannot be asked')]
  const { address } = await readPublicKeys(config).catch(() => ({ address: null }))
  const clock = await guarded('clock', () => clockCheck(cli, config, chain))
  if (address === null) return [reach, clock, skipped('funds, stake', 'the account is not known')]
  const context = { cli, config, chain, account: address }
  return [
    reach,
    clock,
    await guarded('funds', () => fundsCheck(context)),
    await guarded('stake', () => stakeCheck(context)),
    await guarded('payout', () => payoutCheck(context)),
    await guarded('RLN membership', () => rlnCheck(context)),
  ]
}

async function guarded(name: string, check: () => Promise<Check>): Promise<Check> {
  try {
    return await check()
  } catch (error) {
    if (!isPostriderError(error)) throw error
    return failed(name, error.message, error.fix)
  }
}

function reachCheck(chain: ChainReader): Promise<Check> {
  return guarded('chain', async () => {
    await chain.client.check()
    return ok('chain', `${chain.network.name} (chain ${chain.network.chainId}) answers, contracts are there`)
  })
}

/** A block from the future is a slow clock; an old one is a quiet chain or a fast clock. */
async function clockCheck(
  { io }: Cli,
  { chain: { lagSeconds } }: Config,
  chain: ChainReader,
): Promise<Check> {
  const { timestamp } = await chain.newestBlock()
  const ahead = Math.round(io.clock.nowMs() / 1000) - timestamp
  if (ahead < -MAX_CLOCK_DIFFERENCE_SECONDS) {
    return failed(
      'clock',
      `${-ahead} s behind the chain: messages would be refused`,
      'synchronise it (NTP); on the devnet, whose chain runs ahead, ignore this',
    )
  }
  if (ahead > lagSeconds) {
    return warning(
      'clock',
      `the newest block is ${duration(ahead * 1000)} old: the chain is quiet or this clock is fast`,
      'compare it with another clock',
    )
  }
  return ok('clock', `${Math.abs(ahead)} s from the newest block`)
}

async function fundsCheck({ chain, account }: Context): Promise<Check> {
  const [balance, fee] = await Promise.all([chain.etherOf(account), chain.feePerGas()])
  const needed = GAS_RESERVE_UNITS * fee
  if (balance >= needed) return ok('funds', `${ether(balance)} for gas`)
  const reason = `${ether(balance)} for gas; a large settlement may take ${ether(needed)}`
  return (balance === 0n ? failed : warning)('funds', reason, `send ETH to ${account}`)
}

async function stakeCheck({ chain, account, config }: Context): Promise<Check> {
  const [node, { minimum }, keys] = await Promise.all([
    chain.node(account),
    chain.registryParameters(),
    readPublicKeys(config),
  ])
  const fix = 'postrider stake register <amount> --withdrawal <cold address>'
  if (!node) return failed('stake', `not registered; the least stake is ${post(minimum)}`, fix)
  if (node.exitAt !== null)
    return warning('stake', `${post(node.stake)}, leaving`, 'postrider stake withdraw, when due')
  if (node.stake < minimum) {
    return failed('stake', `${post(node.stake)} of at least ${post(minimum)}`, 'postrider stake add <amount>')
  }
  if (keys.peerId !== null && node.peerId !== keys.peerId) {
    return failed('stake', `registered for ${node.peerId}, not for this node`, 'postrider stake update')
  }
  if (node.withdrawal.toLowerCase() === account.toLowerCase()) {
    return warning(
      'stake',
      `${post(node.stake)}; it would return to the hot account`,
      'let the withdrawal address propose a cold one',
    )
  }
  return ok('stake', `${post(node.stake)}, returns to ${node.withdrawal}`)
}

/** A stolen hot key can take what was settled to it, and nothing of what goes to a cold address. */
async function payoutCheck({ chain, account }: Context): Promise<Check> {
  const payout = await chain.payoutOf(account)
  if (payout.toLowerCase() !== account.toLowerCase()) return ok('payout', `earnings go to ${payout}`)
  return warning('payout', 'earnings go to the hot account', 'postrider rewards payout <cold address>')
}

async function rlnCheck({ config, chain }: Context): Promise<Check> {
  const name = 'RLN membership'
  const { rlnKeystoreFile } = configPaths(config)
  if (!existsSync(rlnKeystoreFile)) {
    if (!config.services.lightpush) return skipped(name, 'not needed without lightpush')
    return warning(
      name,
      'none: clients without a proof of their own cannot publish here',
      'postrider rln register <messages per epoch>',
    )
  }
  const file = parseRlnKeystore(await readKeyFile(rlnKeystoreFile))
  const member = await chain.member(file.commitment)
  if (member?.status === 'active')
    return ok(name, `member ${member.index}, ${counted(member.limit, 'message')} an epoch`)
  if (member) return failed(name, `it is ${member.status}`, 'postrider rln status')
  return failed(name, 'not registered', `postrider rln register ${file.limit}`)
}
