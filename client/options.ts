import { PostriderError } from '@postrider/protocol/errors'
import type { Network } from '@postrider/protocol/network'
import { createChainReader } from './chain/reader.ts'
import type { ChainReader, ChainWriter } from './chain/types.ts'
import { createChainWriter } from './chain/writer.ts'
import { MAX_CONFIRMATIONS, MAX_POOL_SIZE } from './constants.ts'
import { type Clock, systemClock } from './core/clock.ts'
import { type Random, systemRandom } from './core/random.ts'
import { DEFAULT_CONFIRMATIONS, DEFAULT_REDUNDANCY } from './messages/constants.ts'
import { localScores } from './nodes/choose.ts'
import { DEFAULT_POOL_SIZE } from './nodes/constants.ts'
import type { Scores } from './nodes/types.ts'
import type { ProofEngine } from './rln/types.ts'
import type { Storage } from './storage/types.ts'
import type { TransportFactories } from './transport/libp2p.ts'
import type { ClientOptions, Platform } from './types.ts'
import { checkBudget } from './wallet/budget.ts'
import type { Wallet } from './wallet/keys.ts'
import type { Budget } from './wallet/types.ts'

/** The options with every default filled in. */
export type Settings = {
  network: Network
  storage: Storage
  wallet: Wallet | undefined
  budget: Budget
  poolSize: number
  scores: Scores
  firstId: number
  idCount: number | undefined
  membershipConfirmations: number
  allowDevelopmentKeys: boolean
  proveAhead: boolean
  confirmations: number
  redundancy: number
  transports: TransportFactories
  prover: ProofEngine
  clock: Clock
  random: Random
  reader: ChainReader
  writer: ChainWriter | undefined
}

/** @throws PostriderError `CLIENT_OPTION_INVALID` with the option's name in `data.option` */
export function checkOptions(options: ClientOptions & { platform: Platform }): Settings {
  const { network, storage, wallet, platform, nodes = {}, rln = {} } = options
  const { clock = systemClock, random = systemRandom, chain } = platform
  const poolSize = integer('nodes.count', nodes.count ?? DEFAULT_POOL_SIZE, 1, MAX_POOL_SIZE)
  const idCount = rln.idCount
  const budget = checkBudget(options.budget)
  const { maxFeePerGas } = budget
  return {
    network,
    storage,
    wallet,
    budget,
    poolSize,
    scores: nodes.scores ?? localScores,
    firstId: integer('rln.firstId', rln.firstId ?? 0, 0, Number.MAX_SAFE_INTEGER),
    idCount: idCount === undefined ? undefined : integer('rln.idCount', idCount, 1, Number.MAX_SAFE_INTEGER),
    membershipConfirmations: integer('rln.confirmations', rln.confirmations ?? 0, 0, Number.MAX_SAFE_INTEGER),
    allowDevelopmentKeys: rln.allowDevelopmentKeys ?? false,
    proveAhead: rln.proveAhead ?? false,
    confirmations: integer(
      'confirmations',
      options.confirmations ?? DEFAULT_CONFIRMATIONS,
      0,
      MAX_CONFIRMATIONS,
    ),
    redundancy: integer('redundancy', options.redundancy ?? DEFAULT_REDUNDANCY, 1, MAX_POOL_SIZE),
    transports: platform.transports,
    prover: platform.prover,
    clock,
    random,
    reader: chain?.reader ?? createChainReader(network),
    writer: chain
      ? chain.writer
      : wallet && createChainWriter(network, wallet.account, { clock, maxFeePerGas }),
  }
}

function integer(option: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value
  throw new PostriderError('CLIENT_OPTION_INVALID', {
    detail: `${option} is an integer in ${min}..${max}`,
    data: { option },
  })
}
