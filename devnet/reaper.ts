// Ends the devnet's children when the devnet is gone, however it went (SIGKILL, a closed terminal, a crash): the pipe
// on which it says what it started and what has ended closes then. Lines: `+PID`, `-PID`. Removes the folder that is
// its argument.
import { rmSync } from 'node:fs'
import { createInterface } from 'node:readline'

const running = new Set<number>()
for await (const line of createInterface({ input: process.stdin })) {
  const pid = Number(line.slice(1))
  if (line.startsWith('+')) running.add(pid)
  else running.delete(pid)
}
for (const pid of running) {
  try {
    // Each child leads a process group of its own, in which its own children are.
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL')
  } catch {
    // It has ended meanwhile.
  }
}
rmSync(process.argv[2] as string, { recursive: true, force: true })
