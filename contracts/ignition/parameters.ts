/**
 * What is fixed at deployment, for ever. Names are those of the Ignition module's parameters.
 * Amounts are base units (18 decimals), times seconds, shares hundredths of a percent.
 */
export type DeploymentParameters = {
  /** From announcing an exit to withdrawing stake; longer than any receipt lives plus the dispute window. */
  readonly unbondingSeconds: bigint
  /** Least stake of an active node. */
  readonly minStake: bigint
  /** Burnt share of a stake slash, at least 8,000. */
  readonly stakeSlashBurnBps: bigint
  /** From a payer's request to close to its withdrawal; longer than a node may be offline. */
  readonly thawSeconds: bigint
  /** Burnt share of every settlement, at most 500. */
  readonly settlementBurnBps: bigint
  /** Price of one message per epoch in the rate-limiting group. */
  readonly pricePerMessage: bigint
  /** Share of that price burnt at registration, at most 5,000. */
  readonly registrationBurnBps: bigint
  /** Burnt share of a slashed membership's deposit, at least 5,000. */
  readonly membershipSlashBurnBps: bigint
  /** From leaving the group to withdrawing the deposit; longer than evidence needs to arrive. */
  readonly freezeSeconds: bigint
}

const POST = 10n ** 18n
const HOUR = 3_600n
const DAY = 24n * HOUR

/** Windows of seconds, so that a whole life cycle fits a story or a test. */
export const DEVNET_PARAMETERS: DeploymentParameters = {
  unbondingSeconds: 10n,
  minStake: 1_000n * POST,
  stakeSlashBurnBps: 8_000n,
  thawSeconds: 10n,
  settlementBurnBps: 100n,
  pricePerMessage: POST / 10n,
  registrationBurnBps: 1_000n,
  membershipSlashBurnBps: 5_000n,
  freezeSeconds: 10n,
}

/** For networks where money matters: windows that survive a weekend's outage or a congested chain. */
export const PUBLIC_PARAMETERS: DeploymentParameters = {
  ...DEVNET_PARAMETERS,
  unbondingSeconds: 30n * DAY,
  thawSeconds: DAY,
  freezeSeconds: 7n * DAY,
}
