import hardhatIgnitionViem from '@nomicfoundation/hardhat-ignition-viem'
import hardhatViem from '@nomicfoundation/hardhat-viem'
import { createRequire } from 'node:module'
import { defineConfig } from 'hardhat/config'

const require = createRequire(import.meta.url)

/** The compiler comes from npm, so building needs no download. */
const solcPath = require.resolve('solc/soljson.js')

export default defineConfig({
  plugins: [hardhatViem, hardhatIgnitionViem],
  paths: {
    sources: 'contracts',
    tests: { solidity: 'contracts/test' },
    artifacts: 'contracts/.hardhat/artifacts',
    cache: 'contracts/.hardhat/cache',
    ignition: 'contracts/ignition',
  },
  solidity: {
    version: '0.8.37',
    path: solcPath,
    npmFilesToBuild: ['poseidon-solidity/PoseidonT2.sol'],
    settings: {
      evmVersion: 'cancun',
      viaIR: true,
      optimizer: { enabled: true, runs: 1_000_000 },
    },
  },
})
