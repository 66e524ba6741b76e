/**
 * The servers of light clients: lightpush, filter and metadata, as Waku's clients speak them, and the list of members.
 *
 * @module
 */
export { createFilterServer, type FilterComponents, type FilterOptions, type FilterServer } from './filter.ts'
export {
  createLightpushServer,
  type LightpushComponents,
  type LightpushOptions,
  type LightpushServer,
} from './lightpush.ts'
export {
  createMembershipServer,
  type MembershipServer,
  type MembershipServerComponents,
} from './membership.ts'
export { type MessageIds, openMessageIds } from './message-ids.ts'
export {
  createMetadataServer,
  type MetadataComponents,
  type MetadataOptions,
  type MetadataServer,
} from './metadata.ts'
export {
  createNodeProver,
  type NodeProverComponents,
  type NodeProverOptions,
  type ProverInputs,
} from './node-prover.ts'
export type { FilterEntry, MembershipChanges, NodeProver, PaymentGate, RelaySubmit } from './types.ts'
