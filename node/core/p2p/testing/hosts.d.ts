import { type Logger } from '../../logger.ts';
import { type Host, type HostOptions } from '../../p2p.ts';
/** The network of the tests: one cluster with eight shards. */
export declare const TEST_NETWORK: {
    readonly clusterId: 66;
    readonly shardCount: 8;
};
/** A host on loopback with a fresh key; not started. */
export declare function createTestHost(options?: Partial<HostOptions> & {
    logger?: Logger;
}): Promise<Host>;
/** The first TCP (not WebSocket) address. */
export declare function tcpAddress(host: Host): string;
/** The first WebSocket address. */
export declare function wsAddress(host: Host): string;
