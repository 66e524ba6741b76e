// Compiles the contracts if a source is newer than its artifact. The bootstrap runs it once per change.
import { ensureBuilt } from './artifacts.ts'

await ensureBuilt()
