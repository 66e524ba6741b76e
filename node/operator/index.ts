/**
 * What an operator tells a node to do on chain: plans that are checked, simulated and priced, and a runner that carries
 * them out once. The command line makes the same plans as the API and sends them by itself.
 *
 * @module
 */
export {
  type ActionRunner,
  createActionRunner,
  transactionKey,
} from './action-runner.ts'
export { type ActionRecord, createActionStore } from './action-store.ts'
