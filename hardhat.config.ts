import { createRequire } from 'node:module'
import hardhatIgnition from '@nomicfoundation/hardhat-ignition'
import { defineConfig } from 'hardhat/config'

const require = createRequire(import.meta.url)

const compiler = {
  version: '0.8.37',
  /** The compiler comes from npm, so building needs no download. */
  path: require.resolve('solc/soljson.js'),
  settings: {
    evmVersion: 'cancun',
    // Copying string[] from calldata to storage needs it, and it saves 3 % of the gas of a settlement.
    viaIR: true,
    // Contracts are deployed once and called for ever.
    optimizer: { enabled: true, runs: 1_000_000 },
  },
}

export default defineConfig({
  plugins: [hardhatIgnition],
  paths: {
    sources: 'contracts',
    tests: { solidity: 'contracts/test' },
    artifacts: 'contracts/.hardhat/artifacts',
    cache: 'contracts/.hardhat/cache',
    ignition: 'contracts/ignition',
  },
  solidity: {
    // One profile for all: what is tested is what is deployed.
    profiles: { default: compiler, production: compiler },
    npmFilesToBuild: [
      'poseidon-solidity/PoseidonT2.sol',
      '@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol',
    ],
  },
})
