import { describeArchive } from '../testing/archive-suite.ts'
import { createMemoryArchive } from './memory.ts'

describeArchive('memory', createMemoryArchive)
