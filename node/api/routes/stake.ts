import { stakeState } from '../schemas/stake.ts'
import { answers, doc } from './answers.ts'
import type { App, RouteContext } from './types.ts'

/** The node's stake as it is; what acts on it is in actions.ts. */
export function registerStakeRoutes(app: App, { views }: RouteContext): void {
  app.get(
    '/v1/stake',
    {
      config: { scope: 'read' },
      schema: {
        ...doc(
          { id: 'getStake', tag: 'node', summary: 'What is staked, where it returns to, and when' },
          'read',
        ),
        response: answers(stakeState),
      },
    },
    async () => views.stake.state(),
  )
}
