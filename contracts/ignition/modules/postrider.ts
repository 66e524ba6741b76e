import { buildModule, type ContractFuture, type IgnitionModuleBuilder } from '@nomicfoundation/ignition-core'
import { DEVNET_PARAMETERS, type DeploymentParameters } from '../parameters.ts'

/** The three contracts on a token; none depends on another. */
function onToken(m: IgnitionModuleBuilder, token: ContractFuture<string>) {
  const parameter = (name: keyof DeploymentParameters) => m.getParameter(name, DEVNET_PARAMETERS[name])
  const poseidon = m.library('PoseidonT2')
  const nodeRegistry = m.contract('NodeRegistry', [
    token,
    parameter('minStake'),
    parameter('unbondingSeconds'),
    parameter('stakeSlashBurnBps'),
  ])
  const paymentChannels = m.contract('PaymentChannels', [
    token,
    parameter('thawSeconds'),
    parameter('settlementBurnBps'),
  ])
  const rlnMembership = m.contract(
    'RlnMembership',
    [
      token,
      parameter('pricePerMessage'),
      parameter('registrationBurnBps'),
      parameter('membershipSlashBurnBps'),
      parameter('freezeSeconds'),
    ],
    { libraries: { PoseidonT2: poseidon } },
  )
  return { token, nodeRegistry, paymentChannels, rlnMembership }
}

/** Everything, with a token of its own that anyone can mint: development networks. */
export const PostriderDevnet = buildModule('PostriderDevnet', (m) => onToken(m, m.contract('PostToken')))

/** Everything, on the existing plain ERC-20 given by the parameter `token`. */
export const Postrider = buildModule('Postrider', (m) =>
  onToken(m, m.contractAt('IERC20Metadata', m.getParameter('token'), { id: 'Token' })),
)

export default PostriderDevnet
