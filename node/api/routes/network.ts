import { paginate } from '../page.ts'
import { chainState } from '../schemas/chain.ts'
import { pageOf, pageQuery } from '../schemas/common.ts'
import { nodeInfo, peer } from '../schemas/node.ts'
import { relayStats, storeStats } from '../schemas/relay.ts'
import { answers, doc } from './answers.ts'
import type { App, RouteContext } from './types.ts'

/** The node, its peers, its traffic and its view of the chain. */
export function registerNetworkRoutes(app: App, { views }: RouteContext): void {
  const config = { scope: 'read' } as const

  app.get(
    '/v1/node',
    {
      config,
      schema: {
        ...doc({ id: 'getNode', tag: 'node', summary: 'Who this node is and what it offers' }, 'read'),
        response: answers(nodeInfo),
      },
    },
    async () => views.node.info(),
  )

  app.get(
    '/v1/peers',
    {
      config,
      schema: {
        ...doc({ id: 'listPeers', tag: 'node', summary: 'Connected peers, by peer id' }, 'read'),
        querystring: pageQuery,
        response: answers(pageOf(peer)),
      },
    },
    async ({ query }) => paginate(await views.peers.list(), ({ peerId }) => peerId, query),
  )

  app.get(
    '/v1/relay',
    {
      config,
      schema: {
        ...doc(
          { id: 'getRelay', tag: 'node', summary: 'Verdicts by code, topics and the proof queue' },
          'read',
        ),
        response: answers(relayStats),
      },
    },
    async () => views.relay.stats(),
  )

  app.get(
    '/v1/store',
    {
      config,
      schema: {
        ...doc({ id: 'getStore', tag: 'node', summary: 'Size, age and queue of the archive' }, 'read'),
        response: answers(storeStats),
      },
    },
    async () => views.store.stats(),
  )

  app.get(
    '/v1/chain',
    {
      config,
      schema: {
        ...doc(
          { id: 'getChain', tag: 'node', summary: 'Head, endpoints, hot account, open transactions' },
          'read',
        ),
        response: answers(chainState),
      },
    },
    async () => views.chain.state(),
  )
}
