// What a program leaves behind: processes of its family, and files in its folder for temporary ones.
import { existsSync, readdirSync, readFileSync } from 'node:fs'

/** An environment variable that every descendant inherits, whatever becomes of its parent; no setting of a node. */
export const FAMILY_VARIABLE = 'TEST_FAMILY'

/** True where processes can be told by their environment. */
export const CAN_LIST_FAMILIES = existsSync('/proc/self/environ')

/** Living processes that were started with this family in their environment, as `pid: command line`. */
export function familyOf(family: string): string[] {
  const wanted = `${FAMILY_VARIABLE}=${family}`
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => readProcess(pid, 'environ').includes(wanted))
    .map((pid) => `${pid}: ${readProcess(pid, 'cmdline').join(' ')}`)
}

/** Empty for a process that has just ended, is nobody's child any more, or is not ours. */
function readProcess(pid: string, what: 'environ' | 'cmdline'): string[] {
  try {
    return readFileSync(`/proc/${pid}/${what}`, 'utf8').split('\0')
  } catch {
    return []
  }
}
