import { isPostriderError } from '@postrider/protocol/errors'
import { healthReport } from '../../api/schemas/health.ts'
import { type Check, failed, ok, skipped, warning } from '../../operator/checks.ts'
import type { Cli } from '../cli.ts'
import { openApi } from '../session.ts'

/** The running node's own word on its parts; a node that does not run is not a fault. */
export async function runningNodeChecks(cli: Cli): Promise<{ isRunning: boolean; checks: Check[] }> {
  try {
    const { subsystems, status } = await (await openApi(cli)).get('/health', healthReport)
    const troubled = subsystems.filter(({ state }) => state !== 'ok')
    return {
      isRunning: true,
      checks: [
        ok('running node', `answers, is ${status}`),
        ...troubled.map(({ name, state, required, reason, fix }) =>
          (required && state !== 'degraded' ? failed : warning)(
            `node: ${name}`,
            `${state}${reason ? `: ${reason}` : ''}`,
            fix ?? 'see the log of the node',
          ),
        ),
      ],
    }
  } catch (error) {
    if (!isPostriderError(error)) throw error
    const absent = error.code === 'CLI_NODE_UNREACHABLE' || error.code === 'API_UNAUTHORIZED'
    const check = absent
      ? skipped('running node', 'it does not run: postrider run')
      : failed('running node', error.message, error.fix)
    return { isRunning: !absent, checks: [check] }
  }
}
