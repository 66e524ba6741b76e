import fc from 'fast-check'

// One seed: a failure today is a failure tomorrow. Set another one here to look further.
fc.configureGlobal({ seed: 20_241_122 })

export { fc }
