import { apiErrors } from './api.ts'
import { chainErrors } from './chain.ts'
import { circuitsErrors } from './circuits.ts'
import { cliErrors } from './cli.ts'
import { clientErrors } from './client.ts'
import { configErrors } from './config.ts'
import { coreErrors } from './core.ts'
import { keysErrors } from './keys.ts'
import { lightErrors } from './light.ts'
import { paymentErrors } from './payment.ts'
import { relayErrors } from './relay.ts'
import { rlnErrors } from './rln.ts'
import { storeErrors } from './store.ts'
import type { ErrorEntry } from './types.ts'
import { wireErrors } from './wire.ts'

/** The sections of the table by domain, for the generated documentation. */
export const errorSections = {
  api: apiErrors,
  chain: chainErrors,
  circuits: circuitsErrors,
  cli: cliErrors,
  client: clientErrors,
  config: configErrors,
  core: coreErrors,
  keys: keysErrors,
  light: lightErrors,
  payment: paymentErrors,
  relay: relayErrors,
  rln: rlnErrors,
  store: storeErrors,
  wire: wireErrors,
} as const

const entries = {
  ...apiErrors,
  ...chainErrors,
  ...circuitsErrors,
  ...cliErrors,
  ...clientErrors,
  ...configErrors,
  ...coreErrors,
  ...keysErrors,
  ...lightErrors,
  ...paymentErrors,
  ...relayErrors,
  ...rlnErrors,
  ...storeErrors,
  ...wireErrors,
}

/** A code of docs/errors.md. Codes are never reused for another meaning. */
export type ErrorCode = keyof typeof entries

/** Every code with its title, whether a retry helps, what to do, and the HTTP status. */
export const errorTable: { readonly [code in ErrorCode]: ErrorEntry } = entries
