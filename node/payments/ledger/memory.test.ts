import { describeLedger } from '../testing/ledger-suite.ts'
import { createMemoryLedger } from './memory.ts'

describeLedger('memory', async () => ({ ledger: createMemoryLedger(), close: async () => {} }))
