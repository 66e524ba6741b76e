/** Compiles the contracts if an artifact is missing or stale; about twenty seconds from nothing, at once otherwise. */
import { ensureBuilt } from './artifacts.ts'

await ensureBuilt()
