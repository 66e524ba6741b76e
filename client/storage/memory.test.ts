import { describeStorage } from '../testing/storage-suite.ts'
import { createMemoryStorage } from './memory.ts'

describeStorage('memory storage', async () => createMemoryStorage())
