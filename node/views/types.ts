import type { Config } from '../core/config/index.ts'
import type { NodeKeys } from '../keys.ts'
import type { Base, Parts } from '../parts.ts'

/** What the views are built from: the parts of a node, and what they were built from. */
export type NodeParts = Pick<
  Parts,
  'actions' | 'host' | 'chain' | 'evidence' | 'verifier' | 'payments' | 'store' | 'relay' | 'own'
> & {
  base: Base
  config: Config
  keys: Pick<NodeKeys, 'network'>
  /** Unix ms. */
  startedAtMs: number
}
